#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

namespace hearth::storage {

/// The exact sum, cut to the range of 64 bits at the end only: the order of the values does not
/// matter.
inline int64_t saturating_sum(std::span<const int64_t> values) {
  __extension__ __int128 sum = 0;
  for (const int64_t v : values) sum += v;
  return static_cast<int64_t>(std::clamp<decltype(sum)>(sum, INT64_MIN, INT64_MAX));
}

}  // namespace hearth::storage
