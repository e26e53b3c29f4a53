#include "storage/segment_catalog.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>

#include "base/bytes.h"
#include "base/log.h"
#include "base/parallel.h"
#include "storage/keys.h"
#include "storage/segment_file.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kFormat = 1;
constexpr size_t kListPage = 1000;

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

std::unique_ptr<ObjectReader> SegmentReaders::remote_object(const SegmentIdentity& segment) {
  if (remote_.cache == nullptr) return nullptr;
  return std::make_unique<CachedReader>(remote_, bucket_, segment.key, segment.uuid, segment.size);
}

std::shared_ptr<const SegmentReader> SegmentReaders::find(const SegmentIdentity& segment) {
  const std::lock_guard lock(mutex_);
  const auto it = by_key_.find(segment.key);
  if (it == by_key_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, it->second);
  return it->second->second;
}

void SegmentReaders::forget(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) return;
  recent_.erase(it->second);
  by_key_.erase(it);
}

// Its directory may still be in the cache, so that it would open as if nothing were wrong: the
// reader that met the loss stays until the object is back.
Status SegmentReaders::check_lost(const SegmentIdentity& segment) {
  HEARTH_ASSIGN_OR_RETURN(const auto object, bucket_.open(segment.key));
  if (!object) {
    return fail(ErrorCode::not_found,
                fmt::format("read segment {}: its object was removed", segment.key));
  }
  forget(segment.key);
  return {};
}

SegmentReaders::Opened SegmentReaders::read(const SegmentIdentity& segment,
                                            std::unique_ptr<ObjectReader> object) {
  HEARTH_ASSIGN_OR_RETURN(auto reader, object ? SegmentReader::open(std::move(object), segment.key)
                                              : open_segment(bucket_, segment.key));
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
    if (recent_.size() > keep_max_) retire_locked(recent_.back().first);
  }
  return reader;
}

std::vector<SegmentReaders::Opened> SegmentReaders::open_all(
    const std::vector<const SegmentIdentity*>& segments) {
  std::vector<Opened> out(segments.size());
  std::vector<size_t> lost;
  for (size_t i = 0; i < segments.size(); ++i) {
    out[i] = find(*segments[i]);
    if (*out[i] != nullptr && (*out[i])->gone()) lost.push_back(i);
  }
  parallel_for(remote_.executor, remote_.requests, lost.size(), [&](size_t, size_t at) {
    const size_t i = lost[at];
    const Status there = check_lost(*segments[i]);
    out[i] = there ? Opened(nullptr) : Opened(tl::unexpected(there.error()));
  });
  std::vector<std::unique_ptr<ObjectReader>> objects(segments.size());
  for (size_t i = 0; i < segments.size(); ++i) {
    const SegmentIdentity& segment = *segments[i];
    if (!out[i] || *out[i] != nullptr || (objects[i] = remote_object(segment)) == nullptr) continue;
    const uint64_t end = std::min(segment.size, kSegmentEndBytes);
    objects[i]->prefetch(segment.size - end, end);
  }
  for (size_t i = 0; i < segments.size(); ++i) {
    if (out[i] && *out[i] == nullptr) out[i] = read(*segments[i], std::move(objects[i]));
  }
  return out;
}

SegmentReaders::Opened SegmentReaders::open(const SegmentIdentity& segment) {
  return std::move(open_all({&segment}).front());
}

void SegmentReaders::created(const SegmentIdentity& segment, std::string_view bytes) {
  if (remote_.cache == nullptr || bytes.size() != segment.size) return;
  // Whole blocks only.
  const uint64_t end = std::min(segment.size, kSegmentEndBytes);
  const uint64_t offset = (segment.size - end) / BlockCache::kBlockBytes * BlockCache::kBlockBytes;
  remote_.cache->put(segment.uuid, segment.size, offset, bytes.substr(offset));
}

void SegmentReaders::retire(const std::string& key) {
  const std::lock_guard lock(mutex_);
  retire_locked(key);
}

void SegmentReaders::retire_locked(std::string key) {
  const auto it = by_key_.find(key);
  if (it == by_key_.end()) return;
  std::erase_if(retired_, [](const auto& entry) { return entry.second.expired(); });
  retired_[std::move(key)] = it->second->second;
  recent_.erase(it->second);
  by_key_.erase(it);
}

bool SegmentReaders::in_use(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto it = retired_.find(key);
  if (it == retired_.end()) return false;
  if (!it->second.expired()) return true;
  retired_.erase(it);
  return false;
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

/// Which snapshot the catalog agrees with; nullopt when it does not say.
Result<std::optional<uint64_t>> catalog_snapshot(const KvStore& store) {
  HEARTH_ASSIGN_OR_RETURN(const auto value, store.get(KvFamily::catalog, kCatalogSnapshotKey));
  if (value && value->size() == sizeof(uint64_t)) return load_le<uint64_t>(value->data());
  HEARTH_ASSIGN_OR_RETURN(const auto complete, store.get(KvFamily::catalog, kCatalogCompleteKey));
  return complete ? std::optional<uint64_t>(0) : std::nullopt;
}

/// A segment whose directory is wanted. `size`: as listed or as the snapshot says.
struct Wanted {
  const std::string& key;
  uint64_t size;
  const Id128* uuid;  ///< nullptr: any.
};

CatalogChange look_up(ObjectStore& bucket, const Wanted& wanted) {
  CatalogChange out;
  const std::string& key = wanted.key;
  auto reader = open_segment(bucket, key);
  const bool other =
      reader && *reader && wanted.uuid != nullptr && (*reader)->uuid() != *wanted.uuid;
  if (reader && *reader && !other) {
    out.added.push_back(SegmentEntry::describe(**reader, wanted.size));
    return out;
  }
  if (other || (!reader && reader.error().code == ErrorCode::data_loss)) {
    out.damaged.push_back(key);
  } else if (reader) {
    out.lost.push_back(key);
  } else {
    out.unreachable = 1;
  }
  log::warn("segment left out of the catalog", {{"object", key},
                                                {"error", !reader ? reader.error().message
                                                          : other ? "another segment"
                                                                  : "gone"}});
  return out;
}

void add_change(CatalogChange&& change, CatalogChange& out) {
  std::ranges::move(change.added, std::back_inserter(out.added));
  std::ranges::move(change.damaged, std::back_inserter(out.damaged));
  std::ranges::move(change.lost, std::back_inserter(out.lost));
  out.unreachable += change.unreachable;
}

bool is_live(const SegmentIdentity& segment, const Snapshot& snapshot) {
  if (const auto fresh = parse_fresh_key(segment.key)) return !snapshot.absorbed.contains(*fresh);
  const SnapshotSegment* const merged = snapshot.find(segment.key);
  return merged != nullptr && merged->uuid == segment.uuid;
}

void apply_change(const CatalogChange& change, CatalogLoad& load) {
  const std::set<std::string> removed(change.removed.begin(), change.removed.end());
  std::erase_if(load.segments,
                [&](const SegmentEntry& entry) { return removed.contains(entry.segment.key); });
  load.segments.insert(load.segments.end(), change.added.begin(), change.added.end());
  load.missing = change.missing();
  load.corrupt_objects += load.missing;
}

}  // namespace

Result<std::vector<ObjectStore::Entry>> list_fresh(ObjectStore& bucket) {
  std::vector<ObjectStore::Entry> out;
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list("l0/", after, kListPage));
    for (const ObjectStore::Entry& listed : page) {
      if (listed.key.ends_with(".seg")) out.push_back(listed);
    }
    if (page.size() < kListPage) return out;
    after = page.back().key;
  }
}

CatalogChange compare_catalog(const std::vector<SegmentIdentity>& known, const Snapshot& snapshot,
                              ObjectStore& bucket, const std::vector<ObjectStore::Entry>& listed,
                              const std::vector<std::string>& pending, const RemoteReads& remote) {
  CatalogChange out;
  std::set<std::string, std::less<>> kept(pending.begin(), pending.end());
  for (const SegmentIdentity& segment : known) {
    if (is_live(segment, snapshot)) {
      kept.insert(segment.key);
    } else {
      out.removed.push_back(segment.key);
    }
  }
  std::vector<Wanted> wanted;
  for (const SnapshotSegment& s : snapshot.segments) {
    if (!kept.contains(s.key)) wanted.push_back({s.key, s.size, &s.uuid});
  }
  for (const ObjectStore::Entry& entry : listed) {
    if (kept.contains(entry.key) || snapshot.absorbed.contains(entry.key)) continue;
    wanted.push_back({entry.key, entry.size, nullptr});
  }
  std::vector<CatalogChange> found(wanted.size());
  parallel_for(remote.executor, remote.requests, wanted.size(),
               [&](size_t, size_t i) { found[i] = look_up(bucket, wanted[i]); });
  for (CatalogChange& one : found) add_change(std::move(one), out);
  return out;
}

void add_catalog_change(const CatalogChange& change, const Snapshot& snapshot, KvBatch& batch) {
  for (const std::string& key : change.removed) batch.remove(KvFamily::catalog, segment_key(key));
  for (const SegmentEntry& entry : change.added) {
    batch.put(KvFamily::catalog, segment_key(entry.segment.key), entry.encode());
  }
  batch.put(KvFamily::catalog, kCatalogCompleteKey, "");
  if (change.missing() > 0) return;
  std::string number;
  put_le(number, snapshot.number);
  batch.put(KvFamily::catalog, kCatalogSnapshotKey, number);
}

Result<CatalogLoad> load_catalog(KvStore& store, ObjectStore& bucket, Manifest& manifest,
                                 const std::vector<std::string>& pending,
                                 const RemoteReads& remote) {
  CatalogLoad load;
  HEARTH_ASSIGN_OR_RETURN(const auto agreed, catalog_snapshot(store));
  if (agreed) HEARTH_RETURN_IF_ERROR(read_catalog(store, load));
  load.snapshot = agreed.value_or(0);
  // In this order: what is deleted after the listing is in the snapshot that is read after it. Also
  // when the numbers agree: an older copy of the database does not know what was sealed since.
  const auto listed = list_fresh(bucket);
  const Status found = listed ? manifest.refresh() : Status(tl::unexpected(listed.error()));
  if (!found && !agreed) return tl::unexpected(found.error());
  // What was live when this process last looked still is, but for what others have merged.
  if (!found) {
    load.not_compared = found.error();
    return load;
  }
  const auto snapshot = manifest.current();
  std::vector<SegmentIdentity> known;
  for (const SegmentEntry& entry : load.segments) known.push_back(entry.segment);
  CatalogChange change = compare_catalog(known, *snapshot, bucket, *listed, pending, remote);
  if (change.unreachable > 0) {
    load.not_compared =
        Error{ErrorCode::unavailable,
              fmt::format("read the bucket's segments: {} of snapshot {} cannot be read now",
                          change.unreachable, snapshot->number)};
    if (!agreed) return tl::unexpected(*load.not_compared);
    return load;
  }
  apply_change(change, load);
  if (agreed && *agreed == snapshot->number && change.empty()) return load;
  if (!change.empty()) {
    log::info("catalog compared with the bucket",
              {{"segments", load.segments.size()}, {"snapshot", snapshot->number}});
  }
  load.snapshot = snapshot->number;
  load.change = std::move(change);
  return load;
}

}  // namespace hearth::storage
