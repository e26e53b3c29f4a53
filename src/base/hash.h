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

/// One random number per process: the seed for tables whose keys come from outside.
uint64_t process_hash_seed();

}  // namespace hearth
