#pragma once

#include <cstdint>
#include <string>

namespace hearth {

/// Zigzag maps small negative numbers to small unsigned ones: 0, −1, 1, −2 … → 0, 1, 2, 3 …
constexpr uint64_t zigzag(int64_t v) { return (static_cast<uint64_t>(v) << 1U) ^ static_cast<uint64_t>(v >> 63); }
constexpr int64_t unzigzag(uint64_t v) { return static_cast<int64_t>(v >> 1U) ^ -static_cast<int64_t>(v & 1U); }

/// Bytes of the shortest LEB128 form, 1…10.
constexpr size_t varint_size(uint64_t v) {
  size_t n = 1;
  while (v >= 0x80) {
    v >>= 7U;
    ++n;
  }
  return n;
}

constexpr size_t kVarintMax = 10;

/// Writes `v` as unsigned LEB128, shortest form, to `p`, which has room for kVarintMax bytes; returns the place behind it.
inline char* write_varint(char* p, uint64_t v) {
  while (v >= 0x80) {
    *p++ = static_cast<char>(v | 0x80U);
    v >>= 7U;
  }
  *p++ = static_cast<char>(v);
  return p;
}
/// Appends `v` as unsigned LEB128, shortest form.
inline void put_varint(std::string& out, uint64_t v) {
  if (v < 0x80) {
    out.push_back(static_cast<char>(v));
    return;
  }
  char raw[kVarintMax];
  out.append(raw, static_cast<size_t>(write_varint(raw, v) - raw));
}
inline void put_svarint(std::string& out, int64_t v) { put_varint(out, zigzag(v)); }

}  // namespace hearth
