#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif

#include "formats/wire.h"

/// Eight bytes of one- and two-byte varints become 32-bit numbers without a branch: the
/// continuation bits of the bytes index a table of shuffles, as in the Masked VByte decoder
/// (Plaisance, Kurz, Lemire, 2015), cut down to two bytes.
namespace hearth::formats::wire {

struct PairShuffle {
  alignas(16) std::array<uint8_t, 16> source{};  ///< Byte of the word for each byte of the eight
                                                 ///< 16-bit lanes; 0x80: zero.

  /// Bit i of `more`: byte i is continued. Words with longer varints do not get here; a two-byte
  /// one that begins in the last byte is left to the next word.
  static constexpr PairShuffle make(unsigned more) {
    PairShuffle s;
    s.source.fill(0x80);
    for (unsigned byte = 0, lane = 0; byte < 8; ++lane) {
      const bool two = (more >> byte & 1U) != 0;
      if (two && byte == 7) break;
      s.source[2 * lane] = static_cast<uint8_t>(byte);
      if (two) s.source[2 * lane + 1] = static_cast<uint8_t>(byte + 1);
      byte += two ? 2 : 1;
    }
    return s;
  }
};

inline constexpr auto kPairShuffles = [] {
  std::array<PairShuffle, 256> table{};
  for (unsigned more = 0; more < 256; ++more) table[more] = PairShuffle::make(more);
  return table;
}();

/// True when every varint that ends in `word` has one or two bytes.
inline bool only_pairs(uint64_t word) {
  return (word & word >> 8U & (kContinuation >> 8U)) == 0;
}
/// Bytes of the complete varints of such a word, 7 or 8, and how many varints they are. Taken from
/// the bits, not from the table: the next position must not wait for a load.
inline size_t pair_bytes(uint64_t word) {
  return 8 - static_cast<size_t>(word >> 63U);
}
inline size_t pair_count(uint64_t word) {
  return static_cast<size_t>(std::popcount(~word & kContinuation));
}

/// Decodes such a word into `out`, which has room for eight values.
inline void widen_pairs(uint64_t word, uint32_t* out) {
#ifdef __SSE4_1__
  const __m128i bytes = _mm_cvtsi64_si128(static_cast<int64_t>(word));
  const PairShuffle& shuffle = kPairShuffles[static_cast<unsigned>(_mm_movemask_epi8(bytes))];
  const __m128i pairs = _mm_shuffle_epi8(
      bytes, _mm_load_si128(reinterpret_cast<const __m128i*>(shuffle.source.data())));
  const __m128i low = _mm_and_si128(pairs, _mm_set1_epi16(0x7f));
  const __m128i high = _mm_and_si128(_mm_srli_epi16(pairs, 1), _mm_set1_epi16(0x3f80));
  const __m128i values = _mm_or_si128(low, high);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm_cvtepu16_epi32(values));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4),
                   _mm_cvtepu16_epi32(_mm_srli_si128(values, 8)));
#else
  // The eight top bits, gathered by a multiplication.
  const uint64_t more = ((word & kContinuation) >> 7U) * 0x0102040810204080U >> 56U;
  const PairShuffle& shuffle = kPairShuffles[more];
  for (size_t i = 0; i < 8; ++i) {
    const unsigned low = shuffle.source[2 * i];
    const unsigned high = shuffle.source[2 * i + 1];
    const uint64_t first = low < 8 ? word >> (8 * low) & 0x7fU : 0;
    const uint64_t second = high < 8 ? word >> (8 * high) & 0x7fU : 0;
    out[i] = static_cast<uint32_t>(first | second << 7U);
  }
#endif
}

}  // namespace hearth::formats::wire
