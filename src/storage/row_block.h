#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/heap_section.h"
#include "storage/row_chain.h"
#include "storage/value_column.h"

/// One block of ROWS before compression: the rows of consecutive profiles, in one of three forms.
///
///   plain   = u8 0, svb keys, a value column per sample type          one entry per row
///   chained = u8 1, changes                                           one entry per changed row
///   heap    = u8 2, chain, svb Δ allocs, svb Δ frees, changes         rows of counters, other rows
///
///   chain   = svb 2 · entries + chained (per profile), svb keys (per entry)
///   changes = chain, a column of differences per sample type
///   keys    = per profile the first key, then gaps − 1
///
/// The heap form holds zigzagged differences of (a, a − u) of heap_scale.h, which HEAP turns into
/// four values; rows that are no multiple of counters stand beside them.
namespace hearth::storage {

enum class RowForm : uint8_t { plain = 0, chained = 1, heap = 2 };

/// Rows to encode. Shape: profile p of the block has rows[p] rows; keys ascend strictly inside a
/// profile; values[t] is as long as key. The last three are as long as key in the heap form, else
/// empty: a verbatim row (1) has counters 0.
struct RowBlockView {
  std::span<const uint32_t> rows;
  std::span<const int64_t> period;
  std::span<const uint32_t> key;
  std::vector<std::span<const int64_t>> values;
  std::span<const int64_t> allocs{}, frees{};
  std::span<const uint8_t> verbatim{};
};
/// Preconditions: no row is all zero in the chained and heap forms; counters and their differences
/// fit 32 bits zigzagged.
[[nodiscard]] std::string encode_row_block(const RowBlockView& block, RowForm form);

/// A chain with its keys found and length-checked.
struct ParsedChain {
  std::vector<uint32_t> entries;  ///< Per profile.
  std::vector<uint8_t> chained;
  size_t size = 0;  ///< Entries of all profiles.
  std::string_view key_gaps;
};

/// A block with its columns found and length-checked, not yet decoded. Views into the raw bytes.
struct ParsedRowBlock {
  RowForm form = RowForm::plain;
  size_t rows = 0;
  std::string_view key_gaps;         ///< Plain.
  ParsedChain changes;               ///< Chained and heap; of `columns`.
  std::vector<ValueColumn> columns;  ///< One per sample type.
  ParsedChain counters;              ///< Heap; of the next two.
  std::string_view allocs, frees;    ///< svb of zigzagged differences.
  /// The column that holds the quotients of column t: itself, or the source of a times_period
  /// column.
  [[nodiscard]] const ValueColumn& base(size_t t) const {
    const ValueColumn& c = columns[t];
    return c.encoding == ValueEncoding::times_period ? columns[c.source] : c;
  }
};
[[nodiscard]] Status parse_row_block(std::string_view raw, size_t profiles, size_t rows,
                                     size_t types, ParsedRowBlock& out);

/// Everything of a block: key and values[t] have one entry per row; the rest as in RowBlockView.
struct DecodedRowBlock {
  std::vector<uint32_t> key;
  std::vector<std::vector<int64_t>> values;
  std::vector<int64_t> allocs, frees;
  std::vector<uint8_t> verbatim;
  [[nodiscard]] RowBlockView view(std::span<const uint32_t> rows,
                                  std::span<const int64_t> period) const;
};
/// `heap` is needed for blocks in the heap form only. `data_loss` when a key is not below `keys`, a
/// value does not fit 64 bits, or a profile has another number of rows. Precondition: rows of the
/// profiles add up to the block's.
[[nodiscard]] Status decode_row_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                                      std::span<const int64_t> period, size_t keys,
                                      const HeapScales* heap, DecodedRowBlock& out);

/// Decodes keys from first keys and gaps, `counts` of them per profile; false when one is not below
/// `keys`.
bool restore_keys(std::span<const uint32_t> counts, size_t keys, std::vector<uint32_t>& key);

}  // namespace hearth::storage
