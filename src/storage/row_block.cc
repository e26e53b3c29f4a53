#include "storage/row_block.h"

#include <algorithm>

#include "base/bytes.h"
#include "storage/chained_block.h"
#include "storage/column_codec.h"
#include "storage/segment_format.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::rows, what);
}

void put_keys(const RowBlockView& block, std::string& out) {
  std::vector<uint32_t> gaps(block.key.begin(), block.key.end());
  size_t row = 0;
  for (const uint32_t n : block.rows) {
    for (size_t i = row + n; i-- > row + 1;) gaps[i] -= gaps[i - 1] + 1;
    row += n;
  }
  put_svb(out, gaps);
}

bool all_zero(std::span<const int64_t> values) {
  return std::ranges::all_of(values, [](int64_t v) { return v == 0; });
}

bool is_times_period(const RowBlockView& block, size_t column, size_t source) {
  size_t row = 0;
  for (size_t p = 0; p < block.rows.size(); ++p) {
    for (const size_t end = row + block.rows[p]; row < end; ++row) {
      int64_t product;
      if (__builtin_mul_overflow(block.values[source][row], block.period[p], &product))
        return false;
      if (product != block.values[column][row]) return false;
    }
  }
  return true;
}

/// The first column that column t is the period's multiple of, or the number of columns. A column
/// that others refer to, or that refers to another one, is not chosen: references have one step.
size_t find_source(const RowBlockView& block, size_t t, std::span<const uint8_t> derived,
                   std::span<const uint8_t> is_source) {
  const size_t types = block.values.size();
  for (size_t c = 0; c < types && is_source[t] == 0; ++c) {
    if (c != t && derived[c] == 0 && is_times_period(block, t, c)) return c;
  }
  return types;
}

void encode_plain_block(const RowBlockView& block, std::string& out) {
  const size_t types = block.values.size();
  put_keys(block, out);
  std::vector<uint8_t> derived(types);
  std::vector<uint8_t> is_source(types);
  for (size_t t = 0; t < types; ++t) derived[t] = all_zero(block.values[t]) ? 1 : 0;
  for (size_t t = 0; t < types; ++t) {
    const size_t source = derived[t] != 0 ? types : find_source(block, t, derived, is_source);
    if (source == types) {
      put_values(block.values[t], Sign::positive, out);
      continue;
    }
    derived[t] = 1;
    is_source[source] = 1;
    out.push_back(static_cast<char>(ValueEncoding::times_period));
    put_varint(out, source);
  }
}

bool sources_exist(const ParsedRowBlock& block) {
  return std::ranges::all_of(block.columns, [&](const ValueColumn& c) {
    if (c.encoding != ValueEncoding::times_period) return true;
    if (c.source >= block.columns.size()) return false;
    const ValueEncoding source = block.columns[c.source].encoding;
    return source == ValueEncoding::single || source == ValueEncoding::wide;
  });
}

void parse_plain_block(ByteReader& reader, size_t types, ParsedRowBlock& out) {
  read_svb_view(reader, out.rows, out.key_gaps);
  out.columns.assign(types, {});
  for (ValueColumn& column : out.columns) read_values(reader, out.rows, column);
  if (!sources_exist(out)) reader.set_error();
}

bool times_period(std::span<const uint32_t> rows, std::span<const int64_t> period,
                  std::vector<int64_t>& values) {
  size_t row = 0;
  for (size_t p = 0; p < rows.size(); ++p) {
    for (const size_t end = row + rows[p]; row < end; ++row) {
      if (__builtin_mul_overflow(values[row], period[p], &values[row])) return false;
    }
  }
  return true;
}

Status decode_plain_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                          std::span<const int64_t> period, size_t keys, DecodedRowBlock& out) {
  out.key.resize(block.rows);
  svb::decode(block.key_gaps, block.rows, out.key.data());
  if (!restore_keys(rows, keys, out.key)) return damaged("key out of range");
  for (size_t t = 0; t < block.columns.size(); ++t) {
    const bool fits = expand_values(block.base(t), block.rows, Sign::positive, out.values[t]);
    const bool by_period = block.columns[t].encoding == ValueEncoding::times_period;
    if (!fits || (by_period && !times_period(rows, period, out.values[t])))
      return damaged("a value does not fit 64 bits");
  }
  return {};
}

}  // namespace

bool restore_keys(std::span<const uint32_t> counts, size_t keys, std::vector<uint32_t>& key) {
  size_t row = 0;
  for (const uint32_t n : counts) {
    uint64_t id = 0;
    for (size_t i = 0; i < n; ++i, ++row) {
      id += uint64_t{key[row]} + (i > 0 ? 1 : 0);
      if (id >= keys) return false;
      key[row] = static_cast<uint32_t>(id);
    }
  }
  return true;
}

std::string encode_row_block(const RowBlockView& block, RowForm form) {
  std::string out;
  out.push_back(static_cast<char>(form));
  switch (form) {
    case RowForm::plain:
      encode_plain_block(block, out);
      break;
    case RowForm::chained:
      encode_chained_block(block, out);
      break;
    case RowForm::heap:
      encode_heap_block(block, out);
      break;
  }
  return out;
}

Status parse_row_block(std::string_view raw, size_t profiles, size_t rows, size_t types,
                       ParsedRowBlock& out) {
  ByteReader reader(raw);
  const uint8_t mode = reader.u8();
  if (mode > static_cast<uint8_t>(RowForm::heap)) return damaged("unknown mode of a block");
  out = {};
  out.form = static_cast<RowForm>(mode);
  out.rows = rows;
  switch (out.form) {
    case RowForm::plain:
      parse_plain_block(reader, types, out);
      break;
    case RowForm::chained:
      parse_chained_block(reader, profiles, types, out);
      break;
    case RowForm::heap:
      parse_heap_block(reader, profiles, types, out);
      break;
  }
  return reader.done() ? Status{} : damaged("columns of a block");
}

Status decode_row_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                        std::span<const int64_t> period, size_t keys, const HeapScales* heap,
                        DecodedRowBlock& out) {
  out = {};
  out.values.resize(block.columns.size());
  switch (block.form) {
    case RowForm::plain:
      return decode_plain_block(block, rows, period, keys, out);
    case RowForm::chained:
      return decode_chained_block(block, rows, keys, out);
    case RowForm::heap:
      break;
  }
  if (heap == nullptr || heap->key_size.size() != keys) return damaged("a heap block without HEAP");
  return decode_heap_block(block, rows, period, keys, *heap, out);
}

RowBlockView DecodedRowBlock::view(std::span<const uint32_t> rows,
                                   std::span<const int64_t> period) const {
  RowBlockView v{rows, period, key, {}, allocs, frees, verbatim};
  for (const auto& column : values) v.values.emplace_back(column);
  return v;
}

}  // namespace hearth::storage
