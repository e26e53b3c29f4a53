#include "storage/row_block.h"

#include <algorithm>
#include <numeric>

#include "base/bytes.h"
#include "storage/column_codec.h"
#include "storage/segment_format.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kPlain = 0;

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

uint64_t magnitude(int64_t v) {
  return v < 0 ? 0 - static_cast<uint64_t>(v) : static_cast<uint64_t>(v);
}

/// Greatest common divisor; 1 where it would be 2^63, which only a column of INT64_MIN has.
int64_t common_divisor(std::span<const int64_t> values) {
  uint64_t divisor = 0;
  for (const int64_t v : values) {
    if (divisor == 1) break;
    const uint64_t m = magnitude(v);
    // The remainder of most rows is 0, which saves the whole of Euclid's loop.
    if (divisor == 0 || m % divisor != 0) divisor = std::gcd(divisor, m);
  }
  return divisor > INT64_MAX ? 1 : static_cast<int64_t>(divisor);
}

void put_quotients(std::span<const int64_t> values, std::string& out) {
  const int64_t divisor = common_divisor(values);
  const bool single =
      std::ranges::all_of(values, [&](int64_t v) { return v >= 0 && v / divisor <= UINT32_MAX; });
  std::vector<uint32_t> low(values.size());
  std::vector<uint32_t> high(single ? 0 : values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t quotient = values[i] / divisor;
    const uint64_t word = single ? static_cast<uint64_t>(quotient) : zigzag(quotient);
    low[i] = static_cast<uint32_t>(word);
    if (!single) high[i] = static_cast<uint32_t>(word >> 32U);
  }
  out.push_back(static_cast<char>(single ? ValueEncoding::single : ValueEncoding::wide));
  put_varint(out, static_cast<uint64_t>(divisor));
  put_svb(out, low);
  if (!single) put_svb(out, high);
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

bool read_svb_view(ByteReader& reader, size_t n, std::string_view& out) {
  out = reader.str();
  if (reader.ok() && svb::check(out, n)) return true;
  reader.set_error();
  return false;
}

void parse_column(ByteReader& reader, size_t rows, ParsedRowBlock::Column& c) {
  const uint8_t encoding = reader.u8();
  if (encoding > static_cast<uint8_t>(ValueEncoding::wide)) reader.set_error();
  c.encoding = static_cast<ValueEncoding>(encoding);
  if (c.encoding == ValueEncoding::zero) return;
  if (c.encoding == ValueEncoding::times_period) {
    c.source = static_cast<uint32_t>(reader.varint_max(limit::kSampleTypes - 1));
    return;
  }
  c.multiplier = static_cast<int64_t>(reader.varint_max(INT64_MAX));
  if (c.multiplier == 0) reader.set_error();
  read_svb_view(reader, rows, c.low);
  if (c.encoding == ValueEncoding::wide) read_svb_view(reader, rows, c.high);
}

bool sources_exist(const ParsedRowBlock& block) {
  return std::ranges::all_of(block.columns, [&](const ParsedRowBlock::Column& c) {
    if (c.encoding != ValueEncoding::times_period) return true;
    if (c.source >= block.columns.size()) return false;
    const ValueEncoding source = block.columns[c.source].encoding;
    return source == ValueEncoding::single || source == ValueEncoding::wide;
  });
}

bool restore_keys(std::span<const uint32_t> rows, size_t keys, std::vector<uint32_t>& key) {
  size_t row = 0;
  for (const uint32_t n : rows) {
    uint64_t id = 0;
    for (size_t i = 0; i < n; ++i, ++row) {
      id += uint64_t{key[row]} + (i > 0 ? 1 : 0);
      if (id >= keys) return false;
      key[row] = static_cast<uint32_t>(id);
    }
  }
  return true;
}

std::vector<int64_t> quotients(const ParsedRowBlock& block, const ParsedRowBlock::Column& c) {
  std::vector<uint32_t> low(block.rows);
  std::vector<uint32_t> high(block.rows);
  svb::decode(c.low, block.rows, low.data());
  if (c.encoding == ValueEncoding::wide) svb::decode(c.high, block.rows, high.data());
  std::vector<int64_t> out(block.rows);
  for (size_t i = 0; i < block.rows; ++i) {
    const uint64_t word = uint64_t{high[i]} << 32U | low[i];
    out[i] = c.encoding == ValueEncoding::wide ? unzigzag(word) : static_cast<int64_t>(word);
  }
  return out;
}

bool multiply(std::span<const uint32_t> rows, std::span<const int64_t> period,
              const ParsedRowBlock& block, size_t t, std::vector<int64_t>& values) {
  const bool by_period = block.columns[t].encoding == ValueEncoding::times_period;
  size_t row = 0;
  for (size_t p = 0; p < rows.size(); ++p) {
    for (const size_t end = row + rows[p]; row < end; ++row) {
      if (__builtin_mul_overflow(values[row], block.base(t).multiplier, &values[row])) return false;
      if (by_period && __builtin_mul_overflow(values[row], period[p], &values[row])) return false;
    }
  }
  return true;
}

}  // namespace

std::string encode_row_block(const RowBlockView& block) {
  const size_t types = block.values.size();
  std::string out;
  out.push_back(kPlain);
  put_keys(block, out);
  std::vector<uint8_t> derived(types);
  std::vector<uint8_t> is_source(types);
  for (size_t t = 0; t < types; ++t) derived[t] = all_zero(block.values[t]) ? 1 : 0;
  for (size_t t = 0; t < types; ++t) {
    if (derived[t] != 0) {
      out.push_back(static_cast<char>(ValueEncoding::zero));
      continue;
    }
    const size_t source = find_source(block, t, derived, is_source);
    if (source == types) {
      put_quotients(block.values[t], out);
      continue;
    }
    derived[t] = 1;
    is_source[source] = 1;
    out.push_back(static_cast<char>(ValueEncoding::times_period));
    put_varint(out, source);
  }
  return out;
}

Status parse_row_block(std::string_view raw, size_t rows, size_t types, ParsedRowBlock& out) {
  ByteReader reader(raw);
  if (reader.u8() != kPlain) return damaged("unknown mode of a block");
  out.rows = rows;
  if (!read_svb_view(reader, rows, out.key_gaps)) return damaged("keys of a block");
  out.columns.assign(types, {});
  for (auto& column : out.columns) parse_column(reader, rows, column);
  if (!reader.done() || !sources_exist(out)) return damaged("values of a block");
  return {};
}

Status decode_row_block(const ParsedRowBlock& block, std::span<const uint32_t> rows,
                        std::span<const int64_t> period, size_t keys, DecodedRowBlock& out) {
  out.key.resize(block.rows);
  svb::decode(block.key_gaps, block.rows, out.key.data());
  if (!restore_keys(rows, keys, out.key)) return damaged("key out of range");
  out.values.assign(block.columns.size(), std::vector<int64_t>(block.rows));
  for (size_t t = 0; t < block.columns.size(); ++t) {
    if (block.columns[t].encoding == ValueEncoding::zero) continue;
    out.values[t] = quotients(block, block.base(t));
    if (!multiply(rows, period, block, t, out.values[t]))
      return damaged("a value does not fit 64 bits");
  }
  return {};
}

}  // namespace hearth::storage
