#include "storage/segment_catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "storage/keys.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kListPage = 1000;
constexpr const char* kSegmentDirectories[] = {"l0/", "m/"};

void put_part(std::string& out, const SegmentEntry::Part& part) {
  put_str(out, part.tenant);
  put_str(out, part.service);
  put_svarint(out, part.t_min_ns);
  put_svarint(out, part.t_max_ns);
  put_varint(out, part.profiles);
}

SegmentEntry::Part read_part(ByteReader& in) {
  SegmentEntry::Part part;
  part.tenant = in.str();
  part.service = in.str();
  part.t_min_ns = in.svarint();
  part.t_max_ns = in.svarint();
  part.profiles = in.varint();
  return part;
}

}  // namespace

SegmentEntry SegmentEntry::describe(const SegmentReader& reader, uint64_t size) {
  SegmentEntry entry{
      {reader.object_key(), reader.uuid(), size, reader.level(), reader.dataset_count()}, {}};
  for (size_t i = 0; i < reader.dataset_count(); ++i) {
    const DatasetInfo& info = reader.dataset_info(i);
    entry.parts.push_back({info.tenant, info.service, info.t_min_ns, info.t_max_ns, info.profiles});
  }
  return entry;
}

std::string SegmentEntry::encode() const {
  std::string out(1, static_cast<char>(kFormat));
  put_be(out, segment.uuid.hi);
  put_be(out, segment.uuid.lo);
  put_varint(out, segment.size);
  out.push_back(static_cast<char>(segment.level));
  put_varint(out, parts.size());
  for (const Part& part : parts) put_part(out, part);
  return out;
}

Result<SegmentEntry> SegmentEntry::decode(std::string_view key, std::string_view value) {
  ByteReader in(value);
  SegmentEntry entry;
  entry.segment.key = key;
  const uint8_t format = in.u8();
  const std::string_view uuid = in.bytes(16);
  if (format != kFormat || !in.ok()) {
    return fail(
        ErrorCode::data_loss,
        fmt::format("read catalog entry of {}: got format {}; want {}", key, format, kFormat));
  }
  entry.segment.uuid = {load_be<uint64_t>(uuid.data()), load_be<uint64_t>(uuid.data() + 8)};
  entry.segment.size = in.varint();
  entry.segment.level = in.u8();
  const size_t parts = in.count(UINT32_MAX);
  for (size_t i = 0; i < parts && in.ok(); ++i) entry.parts.push_back(read_part(in));
  entry.segment.datasets = entry.parts.size();
  if (!in.done()) {
    return fail(ErrorCode::data_loss, fmt::format("read catalog entry of {}: malformed", key));
  }
  return entry;
}

Result<std::shared_ptr<const SegmentReader>> open_segment(ObjectStore& bucket,
                                                          const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(auto object, bucket.open(key));
  if (!object) return std::shared_ptr<const SegmentReader>();
  return SegmentReader::open(std::move(object), key);
}

Result<std::shared_ptr<const SegmentReader>> SegmentReaders::open(const SegmentIdentity& segment) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = by_key_.find(segment.key); it != by_key_.end()) {
      recent_.splice(recent_.begin(), recent_, it->second);
      return it->second->second;
    }
  }
  HEARTH_ASSIGN_OR_RETURN(auto reader, open_segment(bucket_, segment.key));
  if (!reader) {
    return fail(ErrorCode::not_found, fmt::format("open segment {}: no such object", segment.key));
  }
  if (reader->uuid() != segment.uuid || reader->dataset_count() != segment.datasets) {
    return fail(ErrorCode::data_loss,
                fmt::format("open segment {}: got uuid {}; want {}", segment.key,
                            reader->uuid().uuid(), segment.uuid.uuid()));
  }
  const std::lock_guard lock(mutex_);
  if (!by_key_.contains(segment.key)) {
    recent_.emplace_front(segment.key, reader);
    by_key_[segment.key] = recent_.begin();
    if (recent_.size() > keep_max_) {
      by_key_.erase(recent_.back().first);
      recent_.pop_back();
    }
  }
  return reader;
}

namespace {

Status read_catalog(const KvStore& store, CatalogLoad& out) {
  return store.scan(KvFamily::catalog, kSegmentPrefix, prefix_end(kSegmentPrefix),
                    [&](std::string_view key, std::string_view value) {
                      auto entry = SegmentEntry::decode(key.substr(kSegmentPrefix.size()), value);
                      if (entry) {
                        out.segments.push_back(std::move(*entry));
                      } else {
                        ++out.corrupt_objects;
                        log::warn("catalog entry left out", {{"error", entry.error().message}});
                      }
                      return true;
                    });
}

void add_listed(ObjectStore& bucket, const ObjectStore::Entry& listed, CatalogLoad& out) {
  auto reader = open_segment(bucket, listed.key);
  if (reader && *reader) {
    out.segments.push_back(SegmentEntry::describe(**reader, listed.size));
    return;
  }
  ++out.corrupt_objects;
  log::warn("segment left out of the catalog",
            {{"object", listed.key}, {"error", reader ? "gone" : reader.error().message}});
}

Status list_segments(ObjectStore& bucket, const std::string& directory,
                     const std::vector<std::string>& pending, CatalogLoad& out) {
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list(directory, after, kListPage));
    for (const ObjectStore::Entry& listed : page) {
      if (!listed.key.ends_with(".seg") || std::ranges::count(pending, listed.key) > 0) continue;
      add_listed(bucket, listed, out);
    }
    if (page.size() < kListPage) return {};
    after = page.back().key;
  }
}

Status write_catalog(KvStore& store, const CatalogLoad& load) {
  KvBatch batch;
  for (const SegmentEntry& entry : load.segments) {
    batch.put(KvFamily::catalog, segment_key(entry.segment.key), entry.encode());
  }
  batch.put(KvFamily::catalog, kCatalogCompleteKey, "");
  return store.write(batch, true);
}

}  // namespace

Result<CatalogLoad> load_catalog(KvStore& store, ObjectStore& bucket,
                                 const std::vector<std::string>& pending, bool read_only) {
  CatalogLoad load;
  HEARTH_ASSIGN_OR_RETURN(const auto complete, store.get(KvFamily::catalog, kCatalogCompleteKey));
  if (complete) {
    HEARTH_RETURN_IF_ERROR(read_catalog(store, load));
    return load;
  }
  for (const char* directory : kSegmentDirectories) {
    HEARTH_RETURN_IF_ERROR(list_segments(bucket, directory, pending, load));
  }
  if (!load.segments.empty()) {
    log::info("catalog rebuilt from the bucket", {{"segments", load.segments.size()}});
  }
  if (!read_only) HEARTH_RETURN_IF_ERROR(write_catalog(store, load));
  return load;
}

}  // namespace hearth::storage
