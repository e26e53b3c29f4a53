#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// One block of ROWS before compression: the rows of consecutive profiles (docs/segment_format.md).
///
///   u8 mode = 0 · svb keys: per profile the first key, then gaps − 1 · per sample type a value
///   column: u8 encoding 0: all zero
///               1: varint c                    = column c × the profile's period
///               2: varint m, svb v / m          (values ≥ 0, quotients below 2^32)
///               3: varint m, svb low, svb high  words of zigzag(v / m)
///   m = greatest common divisor of the column, 1 … 2^63 − 1. A column 1 refers to a column 2 or 3.
namespace hearth::storage {

enum class ValueEncoding : uint8_t { zero = 0, times_period = 1, single = 2, wide = 3 };

/// Rows to encode. Shape: profile p of the block has rows[p] rows; keys ascend strictly inside a
/// profile; values[t] is as long as key.
struct RowBlockView {
  std::span<const uint32_t> rows;
  std::span<const int64_t> period;
  std::span<const uint32_t> key;
  std::vector<std::span<const int64_t>> values;
};
[[nodiscard]] std::string encode_row_block(const RowBlockView& block);

/// A block with its columns found and length-checked, not yet decoded. Views into the raw bytes.
struct ParsedRowBlock {
  struct Column {
    ValueEncoding encoding = ValueEncoding::zero;
    uint32_t source = 0;         ///< times_period: index of the column.
    int64_t multiplier = 1;      ///< single, wide.
    std::string_view low, high;  ///< svb of `rows` values each.
  };
  size_t rows = 0;
  std::string_view key_gaps;
  std::vector<Column> columns;
  /// The column that holds the quotients of column t: itself, or the source of a times_period
  /// column.
  [[nodiscard]] const Column& base(size_t t) const {
    const Column& c = columns[t];
    return c.encoding == ValueEncoding::times_period ? columns[c.source] : c;
  }
};
[[nodiscard]] Status parse_row_block(std::string_view raw, size_t rows, size_t types,
                                     ParsedRowBlock& out);

/// Everything of a block: key and values[t] have one entry per row. `data_loss` when a key is not
/// below `keys` or a product does not fit 64 bits. Precondition: rows of the profiles add up to the
/// block's.
struct DecodedRowBlock {
  std::vector<uint32_t> key;
  std::vector<std::vector<int64_t>> values;
};
[[nodiscard]] Status decode_row_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                                      std::span<const int64_t> period, size_t keys,
                                      DecodedRowBlock& out);

}  // namespace hearth::storage
