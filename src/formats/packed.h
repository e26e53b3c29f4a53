#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "formats/pair_shuffle.h"
#include "formats/wire.h"

/// Kernels for packed repeated varints. A packed list of n bytes holds at most n
/// values and, when its last byte ends a varint, no varint crosses its end: that is checked once,
/// so the loops need no bounds. They have no branch on the width of a value either, because ids of
/// one and of two bytes alternate in no predictable way.
namespace hearth::formats::wire {

/// Values a kernel may write past the last one.
constexpr size_t kPackedSlack = 8;

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
    // Bytes behind the list read as one-byte values, which are not counted.
    const size_t beyond = left < 8 ? 8 - left : 0;
    if (beyond > 0) word &= ~uint64_t{0} >> (8 * beyond);
    if (only_pairs(word)) [[likely]] {
      widen_pairs(word, out);
      p += pair_bytes(word) - beyond;
      out += pair_count(word) - beyond;
      continue;
    }
    uint64_t v = 0;
    p = read_varint(p, v);
    if (p == nullptr) return nullptr;
    high_bits |= v >> 32U;
    *out++ = static_cast<uint32_t>(v);
  }
  return out;
}

/// Up to 16 bytes of values of at most eight bytes each: all ends are known from one look, so that
/// no value waits for the one before. Stops at a longer value; returns where in [p, p + length).
inline const char* read_few_values(const char* p, size_t length, int64_t*& out) {
  const uint64_t low_stops = ~load_le<uint64_t>(p) & kContinuation;
  const uint64_t high_stops = ~load_le<uint64_t>(p + 8) & kContinuation;
  // One bit per byte, gathered by a multiplication.
  const auto gathered = [](uint64_t stops) {
    return static_cast<unsigned>((stops >> 7U) * 0x0102040810204080U >> 56U);
  };
  unsigned stops = gathered(low_stops) | gathered(high_stops) << 8U;
  stops &= (1U << length) - 1;
  unsigned begin = 0;
  for (; stops != 0; stops &= stops - 1) {
    const auto last = static_cast<unsigned>(std::countr_zero(stops));
    const unsigned beyond = 7 - (last - begin);  // Bytes of the word behind the value.
    if (beyond > 7) break;
    *out++ = static_cast<int64_t>(
        join_groups(load_le<uint64_t>(p + begin) & ~uint64_t{0} >> 8 * beyond));
    begin = last + 1;
  }
  return p + begin;
}

/// The same for 64-bit values.
inline int64_t* read_packed_values(const char* p, size_t length, int64_t* out) {
  const char* const end = p + length;
  if (length > 0 && end[-1] < 0) return nullptr;
  if (length <= 16) p = read_few_values(p, length, out);
  while (p < end) {
    uint64_t v = 0;
    p = read_varint_of_any_width(p, v);
    if (p == nullptr) return nullptr;
    *out++ = static_cast<int64_t>(v);
  }
  return out;
}

}  // namespace hearth::formats::wire
