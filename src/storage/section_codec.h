#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/segment_format.h"

namespace hearth::storage {

/// Stored form of a section or block: zstd where that is shorter, else the bytes themselves.
struct StoredBytes {
  std::string bytes;
  SectionCodec codec = SectionCodec::raw;
  uint32_t crc = 0;
};
[[nodiscard]] StoredBytes store_section(std::string raw, int zstd_level);

/// Checks the checksum, then decompresses into exactly `raw_size` bytes. `what` names the object in
/// errors (`data_loss`). Memory is taken only for a raw size that the stored bytes can hold.
[[nodiscard]] Status load_section(std::string_view stored, SectionCodec codec, uint64_t raw_size,
                                  uint32_t crc, std::string_view what, std::string& out);

}  // namespace hearth::storage
