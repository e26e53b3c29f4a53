#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth {

/// Room that write_decimal() needs: it may write behind the digits.
inline constexpr size_t kDecimalBytes = 32;

/// Writes a number in decimal digits without leading zeros; returns the end of them. Several times
/// as fast as std::to_chars, for answers of many numbers.
///
/// Writes: to[0, kDecimalBytes), of which the digits and the sign are at most 20.
char* write_decimal(char* to, int64_t number);

}  // namespace hearth
