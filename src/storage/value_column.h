#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

/// The value columns of a row block:
///
///   u8 encoding  0: all zero
///                1: varint c                    = column c × the profile's period
///                2: varint m, svb v / m          values ≥ 0, quotients below 2^32
///                3: varint m, svb low, svb high  words of zigzag(v / m)
///
/// m = greatest common divisor of the column, 1 … 2^63 − 1. Differences (`Sign::either`) have
/// zigzag(v / m) also in encoding 2, and no encoding 1.
namespace hearth::storage {

enum class ValueEncoding : uint8_t { zero = 0, times_period = 1, single = 2, wide = 3 };
enum class Sign : uint8_t { positive, either };

/// A column found and length-checked, not yet decoded. Views into the raw bytes.
struct ValueColumn {
  ValueEncoding encoding = ValueEncoding::zero;
  uint32_t source = 0;         ///< times_period: index of the column.
  int64_t multiplier = 1;      ///< single, wide.
  std::string_view low, high;  ///< svb, one value per row.
};

/// Writes encoding 0, 2 or 3.
void put_values(std::span<const int64_t> values, Sign sign, std::string& out);

/// Any encoding; sets the reader's error for one that is malformed.
void read_values(ByteReader& reader, size_t n, ValueColumn& out);

/// The values of encoding 0, 2 or 3; false when one does not fit 64 bits.
[[nodiscard]] bool expand_values(const ValueColumn& column, size_t n, Sign sign,
                                 std::vector<int64_t>& out);

/// An svb of n values, length-checked.
bool read_svb_view(ByteReader& reader, size_t n, std::string_view& out);

}  // namespace hearth::storage
