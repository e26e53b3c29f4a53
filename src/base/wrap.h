#pragma once

#include <cstdint>

namespace hearth {

/// a + b modulo 2^64, so that any two values have a sum.
inline int64_t add_wrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

/// a - b, likewise: add_wrapping() takes it back.
inline int64_t subtract_wrapping(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
}

}  // namespace hearth
