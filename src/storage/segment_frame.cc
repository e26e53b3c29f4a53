#include <fmt/format.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "storage/segment_directory.h"

namespace hearth::storage {
namespace {

constexpr size_t kTailCrcOffset = 24;

tl::unexpected<Error> damaged(std::string_view what) {
  return fail(ErrorCode::data_loss, fmt::format("read segment: {}", what));
}

Status check_version(uint16_t major) {
  if (major == kFormatMajor) return {};
  return fail(ErrorCode::unimplemented,
              fmt::format("read segment: format version is {}; this program reads {}", major,
                          kFormatMajor));
}

}  // namespace

std::string encode_header(uint8_t level, Id128 uuid) {
  std::string out(kSegmentMagic);
  put_le(out, kFormatMajor);
  put_le(out, kFormatMinor);
  out.push_back(static_cast<char>(level));
  out.append(3, '\0');  // Flags and two reserved bytes.
  const auto bytes = uuid.bytes();
  out.append(as_text(bytes));
  return out;
}

Result<HeaderFields> decode_header(std::string_view header) {
  ByteReader reader(header);
  if (reader.bytes(kSegmentMagic.size()) != kSegmentMagic) return damaged("header: wrong magic");
  HEARTH_RETURN_IF_ERROR(check_version(reader.u16()));
  HeaderFields fields;
  fields.minor = reader.u16();
  fields.level = reader.u8();
  const std::string_view reserved = reader.bytes(3);
  const std::string_view uuid = reader.bytes(16);
  if (!reader.done()) return damaged("header: want 32 bytes");
  // A later minor version may give the reserved bytes a meaning that this one can do without.
  if (fields.minor <= kFormatMinor && reserved != std::string_view("\0\0\0", 3))
    return damaged("header: reserved bytes not zero");
  fields.uuid = Id128::from_bytes(as_bytes(uuid).first<16>());
  return fields;
}

std::string encode_tail(const DirectoryPointer& pointer) {
  std::string out;
  put_le(out, pointer.offset);
  put_le(out, pointer.stored);
  put_le(out, pointer.raw);
  put_le(out, pointer.crc);
  put_le(out, pointer.major);
  put_le(out, pointer.minor);
  put_le(out, crc32c(out));
  put_le(out, kTailMagic);
  return out;
}

Result<DirectoryPointer> decode_tail(std::string_view tail, uint64_t object_bytes) {
  if (tail.size() != kTailBytes || load_le<uint32_t>(tail.data() + 28) != kTailMagic)
    return damaged("tail: wrong magic");
  if (load_le<uint32_t>(tail.data() + kTailCrcOffset) != crc32c(tail.substr(0, kTailCrcOffset))) {
    return damaged("tail: wrong checksum");
  }
  ByteReader reader(tail);
  DirectoryPointer p;
  p.offset = reader.u64();
  p.stored = reader.u32();
  p.raw = reader.u32();
  p.crc = reader.u32();
  p.major = reader.u16();
  p.minor = reader.u16();
  HEARTH_RETURN_IF_ERROR(check_version(p.major));
  if (p.raw > limit::kDirectoryBytes) return damaged("tail: directory over 64 MiB");
  if (p.offset < kHeaderBytes || p.stored > object_bytes ||
      p.offset != object_bytes - kTailBytes - p.stored) {
    return damaged(
        fmt::format("tail: directory at {} with {} bytes does not end before the tail of {} bytes",
                    p.offset, p.stored, object_bytes));
  }
  return p;
}

}  // namespace hearth::storage
