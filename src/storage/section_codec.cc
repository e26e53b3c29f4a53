#include "storage/section_codec.h"

#include <fmt/format.h>

#include "base/crc32c.h"
#include "base/zstd_codec.h"

namespace hearth::storage {
StoredBytes store_section(std::string raw, int zstd_level) {
  StoredBytes s;
  s.bytes = zstd_compress(raw, zstd_level);
  s.codec = SectionCodec::zstd;
  if (s.bytes.size() >= raw.size()) {
    s.bytes = std::move(raw);
    s.codec = SectionCodec::raw;
  }
  s.crc = crc32c(s.bytes);
  return s;
}

Status load_section(std::string_view stored, SectionCodec codec, uint64_t raw_size, uint32_t crc,
                    std::string_view what, std::string& out) {
  const uint32_t got = crc32c(stored);
  if (got != crc) {
    return fail(ErrorCode::data_loss,
                fmt::format("read {}: checksum is {:08x}; want {:08x}", what, got, crc));
  }
  if (codec == SectionCodec::raw && raw_size == stored.size()) {
    out.assign(stored);
    return {};
  }
  if (codec != SectionCodec::zstd) {
    return fail(ErrorCode::data_loss, fmt::format("read {}: unknown codec {} or wrong length", what,
                                                  static_cast<unsigned>(codec)));
  }
  if (raw_size > limit::kSectionBytes || raw_size / kZstdMaxRatio > stored.size()) {
    return fail(ErrorCode::data_loss, fmt::format("read {}: {} bytes cannot expand to {}", what,
                                                  stored.size(), raw_size));
  }
  return zstd_decompress(stored, raw_size, out);
}

}  // namespace hearth::storage
