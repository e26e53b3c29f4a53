#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/varint.h"

namespace hearth {

static_assert(std::endian::native == std::endian::little, "hearth's formats are little-endian and read in place");

/// Fixed-width little-endian append and load.
template <class T>
void put_le(std::string& out, T v) {
  char raw[sizeof v];
  std::memcpy(raw, &v, sizeof v);
  out.append(raw, sizeof v);
}
template <class T>
T load_le(const void* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
/// Big-endian append: the order of the bytes is the order of the numbers (keys).
template <class T>
void put_be(std::string& out, T v) {
  for (size_t i = sizeof v; i-- > 0;) out.push_back(static_cast<char>(static_cast<uint64_t>(v) >> (8 * i)));
}
template <class T>
T load_be(const void* p) {
  const auto* b = static_cast<const unsigned char*>(p);
  uint64_t v = 0;
  for (size_t i = 0; i < sizeof(T); ++i) v = v << 8U | b[i];
  return static_cast<T>(v);
}

inline std::span<const std::byte> as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::byte*>(s.data()), s.size()};
}
inline std::string_view as_text(std::span<const std::byte> s) {
  return {reinterpret_cast<const char*>(s.data()), s.size()};
}

/// Forward reader with a sticky error: after the first short or malformed read every read returns zero and ok() is false.
/// So a decoder reads a whole structure and tests once. Never reads outside `data`.
class ByteReader {
 public:
  explicit ByteReader(std::string_view data) : p_(data.data()), end_(data.data() + data.size()), begin_(p_) {}

  [[nodiscard]] bool ok() const { return ok_; }
  /// True when everything was read and nothing failed.
  [[nodiscard]] bool done() const { return ok_ && p_ == end_; }
  [[nodiscard]] size_t left() const { return static_cast<size_t>(end_ - p_); }
  [[nodiscard]] size_t offset() const { return static_cast<size_t>(p_ - begin_); }
  void set_error() {
    ok_ = false;
    p_ = end_;
  }

  uint8_t u8() { return fixed<uint8_t>(); }
  uint16_t u16() { return fixed<uint16_t>(); }
  uint32_t u32() { return fixed<uint32_t>(); }
  uint64_t u64() { return fixed<uint64_t>(); }

  /// Unsigned LEB128 of at most 64 bits; the longest form and overlong forms of more than 10 bytes are errors.
  uint64_t varint() {
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (p_ == end_) break;
      const auto b = static_cast<unsigned char>(*p_++);
      if (shift == 63 && b > 1) break;
      v |= static_cast<uint64_t>(b & 0x7fU) << shift;
      if (b < 0x80) return v;
    }
    set_error();
    return 0;
  }
  int64_t svarint() { return unzigzag(varint()); }
  /// A varint that must be at most `max`; larger is an error.
  uint64_t varint_max(uint64_t max) {
    const uint64_t v = varint();
    if (v > max) set_error();
    return ok_ ? v : 0;
  }
  /// A count of items that take at least one byte each: more than the bytes left is an error, so that no memory is taken for
  /// a number that cannot be true.
  size_t count(uint64_t max) {
    const uint64_t v = varint_max(max);
    if (v > left()) set_error();
    return ok_ ? static_cast<size_t>(v) : 0;
  }
  /// Next `n` bytes as a view into the data.
  std::string_view bytes(size_t n) {
    if (n > left()) {
      set_error();
      return {};
    }
    const std::string_view v(p_, n);
    p_ += n;
    return v;
  }
  /// varint length + bytes.
  std::string_view str(size_t max = SIZE_MAX) { return bytes(static_cast<size_t>(varint_max(max))); }

 private:
  template <class T>
  T fixed() {
    const std::string_view raw = bytes(sizeof(T));
    return raw.size() == sizeof(T) ? load_le<T>(raw.data()) : T{};
  }
  const char* p_;
  const char* end_;
  const char* begin_;
  bool ok_ = true;
};

inline void put_str(std::string& out, std::string_view s) {
  put_varint(out, s.size());
  out.append(s);
}

}  // namespace hearth
