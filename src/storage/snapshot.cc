#include "storage/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

constexpr std::string_view kMagic = "HEARTHSN";
constexpr uint16_t kMajor = 1;
constexpr uint16_t kMinor = 0;
constexpr size_t kHeader = 16;
constexpr size_t kFrame = kHeader + sizeof(uint32_t);
constexpr int kZstdLevel = 3;
constexpr std::string_view kSuffix = ".snap";
constexpr uint64_t kRawMax = 256ULL << 20U;
constexpr size_t kKeyMax = 1024;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("read snapshot: {}", what));
}

void put_id(std::string& out, Id128 id) {
  put_be(out, id.hi);
  put_be(out, id.lo);
}

Id128 read_id(ByteReader& in) {
  const std::string_view bytes = in.bytes(16);
  if (bytes.size() != 16) return {};
  return {load_be<uint64_t>(bytes.data()), load_be<uint64_t>(bytes.data() + 8)};
}

void put_segment(std::string& out, const SnapshotSegment& s) {
  put_str(out, s.key);
  put_id(out, s.uuid);
  put_varint(out, s.size);
  out.push_back(static_cast<char>(s.level));
  put_svarint(out, s.window_start_ns);
  put_varint(out, s.window_length_ns);
  put_varint(out, s.datasets);
  put_varint(out, s.profiles);
}

SnapshotSegment read_segment(ByteReader& in) {
  SnapshotSegment s;
  s.key = in.str(kKeyMax);
  s.uuid = read_id(in);
  s.size = in.varint();
  s.level = in.u8();
  s.window_start_ns = in.svarint();
  s.window_length_ns = in.varint();
  s.datasets = in.varint_max(limit::kDatasets);
  s.profiles = in.varint();
  return s;
}

Tombstone read_tombstone(ByteReader& in) {
  Tombstone t;
  t.key = in.str(kKeyMax);
  t.since = in.varint();
  return t;
}

/// A list whose keys ascend strictly.
template <class T>
std::vector<T> read_list(ByteReader& in, T (*read)(ByteReader&)) {
  std::vector<T> out;
  const size_t n = in.count(SIZE_MAX);
  for (size_t i = 0; i < n && in.ok(); ++i) {
    T item = read(in);
    if (!out.empty() && item.key <= out.back().key) in.set_error();
    out.push_back(std::move(item));
  }
  return out;
}

Result<std::string> unpack(std::string_view bytes) {
  if (bytes.size() < kFrame || bytes.substr(0, kMagic.size()) != kMagic)
    return damaged("it does not begin as one");
  const auto major = load_le<uint16_t>(bytes.data() + 8);
  if (major != kMajor) {
    return fail(ErrorCode::unimplemented,
                fmt::format("read snapshot: got major version {}; want {}", major, kMajor));
  }
  const size_t end = bytes.size() - sizeof(uint32_t);
  if (crc32c(bytes.substr(0, end)) != load_le<uint32_t>(bytes.data() + end))
    return damaged("wrong checksum");
  const auto raw_bytes = load_le<uint32_t>(bytes.data() + 12);
  if (raw_bytes > kRawMax || raw_bytes / kZstdMaxRatio > bytes.size())
    return damaged("cannot expand that far");
  std::string raw;
  HEARTH_RETURN_IF_ERROR(zstd_decompress(bytes.substr(kHeader, end - kHeader), raw_bytes, raw));
  return raw;
}

}  // namespace

const SnapshotSegment* Snapshot::find(std::string_view key) const {
  const auto it = std::ranges::lower_bound(segments, key, {}, &SnapshotSegment::key);
  return it != segments.end() && it->key == key ? &*it : nullptr;
}

std::string snapshot_key(uint64_t number) {
  return fmt::format("{}{:020}{}", kSnapshotPrefix, number, kSuffix);
}

uint64_t parse_snapshot_key(std::string_view key) {
  uint64_t number = 0;
  if (key.size() <= kSnapshotPrefix.size() + kSuffix.size()) return 0;
  const char* const end = key.data() + key.size() - kSuffix.size();
  std::from_chars(key.data() + kSnapshotPrefix.size(), end, number);
  return snapshot_key(number) == key ? number : 0;
}

std::string encode_snapshot(const Snapshot& snapshot) {
  std::string raw;
  put_varint(raw, snapshot.number);
  put_id(raw, snapshot.nonce);
  put_id(raw, snapshot.previous_nonce);
  put_svarint(raw, snapshot.created_ns);
  put_str(raw, snapshot.writer_version);
  put_varint(raw, snapshot.segments.size());
  for (const SnapshotSegment& s : snapshot.segments) put_segment(raw, s);
  snapshot.absorbed.encode(raw);
  put_varint(raw, snapshot.tombstones.size());
  for (const Tombstone& t : snapshot.tombstones) {
    put_str(raw, t.key);
    put_varint(raw, t.since);
  }
  std::string out(kMagic);
  put_le(out, kMajor);
  put_le(out, kMinor);
  put_le(out, static_cast<uint32_t>(raw.size()));
  out += zstd_compress(raw, kZstdLevel);
  put_le(out, crc32c(out));
  return out;
}

Result<Snapshot> decode_snapshot(std::string_view bytes) {
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, unpack(bytes));
  ByteReader in(raw);
  Snapshot s;
  s.number = in.varint();
  s.nonce = read_id(in);
  s.previous_nonce = read_id(in);
  s.created_ns = in.svarint();
  s.writer_version = in.str();
  s.segments = read_list(in, read_segment);
  s.absorbed = AbsorbedSet::decode(in);
  s.tombstones = read_list(in, read_tombstone);
  if (!in.ok() || s.number == 0) return damaged("malformed");
  if (load_le<uint16_t>(bytes.data() + 10) == kMinor && !in.done())
    return damaged("bytes left over");
  return s;
}

}  // namespace hearth::storage
