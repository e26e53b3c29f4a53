#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.h"
#include "formats/wire.h"

/// Kernels for packed repeated varints (storage.md 3.2). A packed list of n bytes holds at most n
/// values and, when its last byte ends a varint, no varint crosses its end: that is checked once,
/// so the loops need no bounds.
namespace hearth::formats::wire {

/// Values a kernel may write past the last one.
constexpr size_t kPackedSlack = 8;

namespace detail {

// GCC's and clang's portable vectors.
using Bytes8 = uint8_t __attribute__((vector_size(8)));
using Words8 = uint32_t __attribute__((vector_size(32)));
using Halves4 = uint16_t __attribute__((vector_size(8)));
using Words4 = uint32_t __attribute__((vector_size(16)));

inline void widen_bytes(uint64_t word, uint32_t* out) {
  const auto wide = __builtin_convertvector(std::bit_cast<Bytes8>(word), Words8);
  std::memcpy(out, &wide, sizeof wide);
}
// Four varints of two bytes each.
inline void widen_pairs(uint64_t word, uint32_t* out) {
  const uint64_t joined = (word & 0x007f007f007f007fU) | (word & 0x7f007f007f007f00U) >> 1U;
  const auto wide = __builtin_convertvector(std::bit_cast<Halves4>(joined), Words4);
  std::memcpy(out, &wide, sizeof wide);
}
// Four varints of one or two bytes each, without a branch. Returns the bytes used.
inline size_t widen_mixed(uint64_t word, uint32_t* out) {
  size_t used = 4;
  for (size_t i = 0; i < 4; ++i) {
    const uint64_t two = (word >> 7U) & 1U;
    out[i] = static_cast<uint32_t>((word & 0x7fU) | ((word >> 1U) & 0x3f80U & (0 - two)));
    word >>= 8 + 8 * two;
    used += two;
  }
  return used;
}

}  // namespace detail

/// Appends the packed ids in [p, p + length) to `out`, truncated to 32 bits; what was cut off is
/// or-ed into `high_bits`. `out` has room for length + kPackedSlack values, `p` has kOverrun
/// readable bytes behind it. Returns the position after the last value, or nullptr for a varint
/// that is cut off or too long.
inline uint32_t* read_packed_ids(const char* p, size_t length, uint32_t* out, uint64_t& high_bits) {
  const char* const end = p + length;
  if (length > 0 && end[-1] < 0) return nullptr;
  while (p < end) {
    const auto left = static_cast<size_t>(end - p);
    auto word = load_le<uint64_t>(p);
    if (left < 8) word &= ~uint64_t{0} >> (64 - 8 * left);
    const uint64_t more = word & kContinuation;
    if (more == 0) {
      detail::widen_bytes(word, out);
      const size_t n = std::min<size_t>(left, 8);
      p += n;
      out += n;
    } else if (more == 0x0080008000800080U && left >= 8) {
      detail::widen_pairs(word, out);
      p += 8;
      out += 4;
    } else if ((more & more >> 8U) == 0 && left >= 8) {
      p += detail::widen_mixed(word, out);
      out += 4;
    } else {
      uint64_t v = 0;
      p = read_varint(p, v);
      if (p == nullptr) return nullptr;
      high_bits |= v >> 32U;
      *out++ = static_cast<uint32_t>(v);
    }
  }
  return out;
}

/// The same for 64-bit values.
inline int64_t* read_packed_values(const char* p, size_t length, int64_t* out) {
  const char* const end = p + length;
  if (length > 0 && end[-1] < 0) return nullptr;
  while (p < end) {
    uint64_t v = 0;
    p = read_varint(p, v);
    if (p == nullptr) return nullptr;
    *out++ = static_cast<int64_t>(v);
  }
  return out;
}

}  // namespace hearth::formats::wire
