#include "storage/segment_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/bytes.h"

namespace hearth::storage {
namespace {

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("decode directory: {}", what));
}

using Pool = std::vector<std::string_view>;

Pool collect_pool(const SegmentDirectory& directory) {
  std::set<std::string_view> pool;
  for (const DatasetEntry& d : directory.datasets) {
    pool.insert(
        {d.info.tenant, d.info.service, d.info.family.period.type, d.info.family.period.unit});
    for (const SampleType& t : d.info.family.types) pool.insert({t.type, t.unit});
  }
  return {pool.begin(), pool.end()};
}

void put_pooled(const Pool& pool, std::string_view s, std::string& out) {
  put_varint(out, static_cast<uint64_t>(std::ranges::lower_bound(pool, s) - pool.begin()));
}

void put_type(const Pool& pool, const SampleType& type, std::string& out) {
  put_pooled(pool, type.type, out);
  put_pooled(pool, type.unit, out);
}

void put_section(const SectionEntry& s, std::string& out) {
  out.push_back(static_cast<char>(s.kind));
  out.push_back(static_cast<char>(s.codec));
  put_varint(out, s.stored);
  put_varint(out, s.raw);
  put_le(out, s.crc);
}

void put_dataset(const Pool& pool, const DatasetEntry& d, std::string& out) {
  put_pooled(pool, d.info.tenant, out);
  put_pooled(pool, d.info.service, out);
  put_varint(out, d.info.family.types.size());
  for (const SampleType& t : d.info.family.types) put_type(pool, t, out);
  put_type(pool, d.info.family.period, out);
  put_varint(out, d.offset);
  put_svarint(out, d.info.t_min_ns);
  put_varint(out, static_cast<uint64_t>(d.info.t_max_ns) - static_cast<uint64_t>(d.info.t_min_ns));
  for (const uint64_t n : {d.info.series, d.info.profiles, d.info.rows, d.info.nodes, d.info.keys})
    put_varint(out, n);
  for (const int64_t total : d.info.totals) put_svarint(out, total);
  put_varint(out, d.sections.size());
  for (const SectionEntry& s : d.sections) put_section(s, out);
}

std::string read_pooled(ByteReader& reader, const Pool& pool) {
  const uint64_t i = reader.varint();
  if (i < pool.size()) return std::string(pool[i]);
  reader.set_error();
  return {};
}

SampleType read_type(ByteReader& reader, const Pool& pool) {
  SampleType type;
  type.type = read_pooled(reader, pool);
  type.unit = read_pooled(reader, pool);
  return type;
}

DatasetInfo read_info(ByteReader& reader, const Pool& pool, uint64_t& offset) {
  DatasetInfo info;
  info.tenant = read_pooled(reader, pool);
  info.service = read_pooled(reader, pool);
  const size_t types = reader.count(limit::kSampleTypes);
  for (size_t t = 0; t < types && reader.ok(); ++t)
    info.family.types.push_back(read_type(reader, pool));
  info.family.period = read_type(reader, pool);
  offset = reader.varint_max(limit::kObjectBytes);
  info.t_min_ns = reader.svarint();
  info.t_max_ns = static_cast<int64_t>(static_cast<uint64_t>(info.t_min_ns) + reader.varint());
  info.series = reader.varint_max(limit::kSeries);
  info.profiles = reader.varint_max(limit::kProfiles);
  info.rows = reader.varint_max(limit::kProfiles * limit::kBlockRowsRead);
  info.nodes = reader.varint_max(limit::kNodes);
  info.keys = reader.varint_max(limit::kKeys);
  for (size_t t = 0; t < types && reader.ok(); ++t) info.totals.push_back(reader.svarint());
  return info;
}

/// Sections lie back to back from the dataset's offset; returns where the last one ends.
uint64_t read_sections(ByteReader& reader, DatasetEntry& dataset) {
  uint64_t end = dataset.offset;
  const size_t n = reader.count(limit::kSections);
  for (size_t i = 0; i < n && reader.ok(); ++i) {
    SectionEntry s;
    s.kind = static_cast<SectionKind>(reader.u8());
    s.codec = static_cast<SectionCodec>(reader.u8());
    s.stored = reader.varint_max(limit::kObjectBytes);
    s.raw = reader.varint_max(limit::kObjectBytes);
    s.crc = reader.u32();
    s.offset = end;
    end += s.stored;
    dataset.sections.push_back(s);
  }
  return end;
}

Status read_datasets(ByteReader& reader, const Pool& pool, uint64_t sections_end,
                     SegmentDirectory& directory) {
  const size_t n = reader.count(limit::kDatasets);
  uint64_t previous_end = kHeaderBytes;
  for (size_t i = 0; i < n; ++i) {
    DatasetEntry d;
    d.info = read_info(reader, pool, d.offset);
    const uint64_t end = read_sections(reader, d);
    if (!reader.ok()) return damaged(fmt::format("entry of dataset {}", i));
    if (d.offset < previous_end || end > sections_end) {
      return damaged(fmt::format("dataset {} has bytes [{}, {}); want inside [{}, {})", i, d.offset,
                                 end, previous_end, sections_end));
    }
    previous_end = end;
    directory.datasets.push_back(std::move(d));
  }
  return {};
}

Pool read_pool(ByteReader& reader) {
  Pool pool;
  const size_t n = reader.count(limit::kStrings);
  for (size_t i = 0; i < n && reader.ok(); ++i) pool.push_back(reader.str(limit::kStringBytes));
  return pool;
}

}  // namespace

const SectionEntry* DatasetEntry::find(SectionKind kind) const {
  const auto it = std::ranges::find(sections, kind, &SectionEntry::kind);
  return it == sections.end() ? nullptr : &*it;
}

uint64_t DatasetEntry::stored_bytes() const {
  uint64_t bytes = 0;
  for (const SectionEntry& s : sections) bytes += s.stored;
  return bytes;
}

std::string encode_directory(const SegmentDirectory& directory) {
  std::string out;
  put_str(out, directory.object_key);
  const auto uuid = directory.uuid.bytes();
  out.append(as_text(uuid));
  out.push_back(static_cast<char>(directory.level));
  put_svarint(out, directory.window_start_ns);
  put_varint(out, directory.window_length_ns);
  put_str(out, directory.writer_version);
  const Pool pool = collect_pool(directory);
  put_varint(out, pool.size());
  for (const std::string_view s : pool) put_str(out, s);
  put_str(out, directory.label_bloom);
  put_varint(out, directory.datasets.size());
  for (const DatasetEntry& d : directory.datasets) put_dataset(pool, d, out);
  return out;
}

Result<SegmentDirectory> decode_directory(std::string_view raw, uint64_t sections_end) {
  ByteReader reader(raw);
  SegmentDirectory directory;
  directory.object_key = reader.str(limit::kStringBytes);
  const std::string_view uuid = reader.bytes(16);
  if (!reader.ok()) return damaged("object key or uuid");
  directory.uuid = Id128::from_bytes(as_bytes(uuid).first<16>());
  directory.level = reader.u8();
  directory.window_start_ns = reader.svarint();
  directory.window_length_ns = reader.varint();
  directory.writer_version = reader.str(limit::kStringBytes);
  const Pool pool = read_pool(reader);
  directory.label_bloom = reader.str();
  if (!reader.ok()) return damaged("window, pool or bloom");
  HEARTH_RETURN_IF_ERROR(read_datasets(reader, pool, sections_end, directory));
  if (!reader.done()) return damaged("bytes left over");
  return directory;
}

}  // namespace hearth::storage
