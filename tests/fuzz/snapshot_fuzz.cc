// Any bytes as a snapshot: a value or an error. What is read is written and read again as the same.
// The checksum is repaired, or every mutation would end there.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/snapshot.h"

namespace hearth::storage {
namespace {

constexpr size_t kHeader = 16;

/// The bytes as the inside of a frame, with a true header and checksum around.
std::string framed(std::string_view raw) {
  std::string out = encode_snapshot(Snapshot{}).substr(0, kHeader - sizeof(uint32_t));
  put_le(out, static_cast<uint32_t>(raw.size()));
  out += zstd_compress(raw, 1);
  put_le(out, crc32c(out));
  return out;
}

std::string repaired(std::string bytes) {
  if (bytes.size() < kHeader + sizeof(uint32_t)) return bytes;
  bytes.resize(bytes.size() - sizeof(uint32_t));
  put_le(bytes, crc32c(bytes));
  return bytes;
}

void check(const std::string& bytes) {
  const auto snapshot = decode_snapshot(bytes);
  if (!snapshot) return;
  const auto again = decode_snapshot(encode_snapshot(*snapshot));
  HEARTH_CHECK(again && *again == *snapshot, "a snapshot changes when it is written again");
}

}  // namespace
}  // namespace hearth::storage

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth::storage;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check(std::string(bytes));
  check(repaired(std::string(bytes)));
  check(framed(bytes));
  return 0;
}
