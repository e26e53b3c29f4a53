#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "storage/dataset.h"
#include "storage/segment_format.h"

/// Header, directory and tail: what frames the sections (docs/segment_format.md).
namespace hearth::storage {

struct SectionEntry {
  SectionKind kind{};
  SectionCodec codec{};
  uint64_t stored = 0, raw = 0;  ///< Bytes in the object, and after decompression.
  uint32_t crc = 0;     ///< crc32c of the stored bytes; 0 for ROWS, whose blocks carry their own.
  uint64_t offset = 0;  ///< In the object; follows from the sections before.
};

struct DatasetEntry {
  DatasetInfo info;
  uint64_t offset = 0;
  std::vector<SectionEntry> sections;
  /// nullptr when the dataset has no such section.
  [[nodiscard]] const SectionEntry* find(SectionKind kind) const;
  [[nodiscard]] uint64_t stored_bytes() const;
};

struct SegmentDirectory {
  uint16_t minor = kFormatMinor;  ///< From the tail.
  std::string object_key;
  Id128 uuid;
  uint8_t level = 0;
  int64_t window_start_ns = 0;
  uint64_t window_length_ns = 0;
  std::string writer_version;
  std::string label_bloom;
  std::vector<DatasetEntry> datasets;
};

/// Where the directory is; from the tail.
struct DirectoryPointer {
  uint64_t offset = 0;
  uint32_t stored = 0, raw = 0, crc = 0;
  uint16_t major = 0, minor = 0;
};

/// str object key · 16 B uuid · u8 level · svarint window start · varint window length · str writer
/// version · vec<str> pool (sorted, unique) · str label bloom · vec of datasets {tenant, service
/// (pool indexes), vec of sample types (type, unit), period type, unit, varint offset, svarint
/// t_min, varint t_max − t_min, varint series, profiles, rows, nodes, keys, svarint total per
/// sample type, vec of sections {u8 kind, u8 codec, varint stored, raw, u32 crc}}.
[[nodiscard]] std::string encode_directory(const SegmentDirectory& directory);

/// `sections_end` is the directory's offset: sections lie between the header and it and do not
/// overlap.
[[nodiscard]] Result<SegmentDirectory> decode_directory(std::string_view raw,
                                                        uint64_t sections_end);

[[nodiscard]] std::string encode_header(uint8_t level, Id128 uuid);
struct HeaderFields {
  uint16_t minor = 0;
  uint8_t level = 0;
  Id128 uuid;
};
/// `unimplemented` for another major version: such a segment is left alone.
[[nodiscard]] Result<HeaderFields> decode_header(std::string_view header);

[[nodiscard]] std::string encode_tail(const DirectoryPointer& pointer);
[[nodiscard]] Result<DirectoryPointer> decode_tail(std::string_view tail, uint64_t object_bytes);

}  // namespace hearth::storage
