#pragma once

#include <cstdint>
#include <string_view>

// Inline, so that short keys cost no call. Meson finds the header; nothing is linked.
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/random.h"

namespace hearth {

/// xxh3. Keys that clients choose take the process's random seed, so that nobody can
/// choose keys that collide; what is stored in files takes seed 0.
inline uint64_t hash64(std::string_view s, uint64_t seed = 0) { return XXH3_64bits_withSeed(s.data(), s.size(), seed); }
inline Id128 hash128(std::string_view s, uint64_t seed = 0) {
  const XXH128_hash_t h = XXH3_128bits_withSeed(s.data(), s.size(), seed);
  return {h.high64, h.low64};
}

/// Two words become one: the halves of their 128-bit product, folded. Each word should be combined
/// with a secret one first, or equal products are easy to find.
inline uint64_t fold_multiply(uint64_t a, uint64_t b) {
  __extension__ typedef unsigned __int128 Wide;  // GCC's and clang's, on all 64-bit machines.
  const auto product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64U);
}

/// One random number per process: the seed for tables whose keys come from outside.
uint64_t process_hash_seed();

}  // namespace hearth
