#include "storage/head_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "base/bytes.h"

namespace hearth::storage {
namespace {

constexpr size_t kRadixMin = 64;  // Below it a comparison sort is faster than three passes.

enum ColumnMode : uint8_t { kZero = 0, kOwn = 1, kAsFirst = 2 };

// One counting pass over byte `shift / 8` of the keys.
void radix_pass(const std::vector<uint64_t>& in, std::vector<uint64_t>& out, unsigned shift) {
  std::array<uint32_t, 257> begin{};
  for (const uint64_t v : in) ++begin[(v >> shift & 0xffU) + 1];
  for (size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  for (const uint64_t v : in) out[begin[v >> shift & 0xffU]++] = v;
}

uint64_t magnitude(int64_t v) {
  return v < 0 ? ~static_cast<uint64_t>(v) + 1 : static_cast<uint64_t>(v);
}

// The greatest common divisor of a column, 0 when all is zero. Half of the loop is "does m divide?"
// with a small m, so the quotients of equal values are not computed twice.
uint64_t column_divisor(const Rows& rows, size_t type) {
  uint64_t m = 0;
  int64_t previous = 0;
  for (size_t i = type; i < rows.values.size(); i += rows.types) {
    const int64_t v = rows.values[i];
    if (v == previous) continue;
    previous = v;
    m = std::gcd(m, magnitude(v));
    if (m == 1) break;
  }
  // INT64_MIN alone has a magnitude that no int64 holds.
  return m > INT64_MAX ? 1 : m;
}

void put_quotients(const Rows& rows, size_t type, int64_t divisor, std::string& out) {
  if (divisor == 1) {
    for (size_t i = type; i < rows.values.size(); i += rows.types) put_svarint(out, rows.values[i]);
    return;
  }
  int64_t value = 0;
  int64_t quotient = 0;
  for (size_t i = type; i < rows.values.size(); i += rows.types) {
    if (rows.values[i] != value) {
      value = rows.values[i];
      quotient = value / divisor;
    }
    put_svarint(out, quotient);
  }
}

struct Column {
  uint64_t divisor = 0;  ///< 0: every value is zero.
  std::string_view quotients;
};

/// Splits encoded rows into the key column and the value columns.
struct Columns {
  std::string_view keys;
  std::vector<Column> values;
};

Column read_column(ByteReader& in, const std::vector<Column>& before) {
  const uint8_t mode = in.u8();
  if (mode == kZero) return {};
  Column column;
  column.divisor = in.varint_max(INT64_MAX);
  if (mode == kOwn) {
    column.quotients = in.str();
  } else if (mode == kAsFirst && !before.empty() && before.front().divisor != 0) {
    column.quotients = before.front().quotients;
  } else {
    in.set_error();
  }
  return column;
}

tl::unexpected<Error> damaged(const char* what) {
  return fail(ErrorCode::data_loss, fmt::format("read head rows: {}", what));
}

}  // namespace

void RowCollector::sort(uint32_t key_max) {
  if (order_.size() < kRadixMin) {
    std::sort(order_.begin(), order_.end());
    return;
  }
  scratch_.resize(order_.size());
  const auto key_bits = static_cast<unsigned>(std::bit_width(key_max));
  for (unsigned shift = 0; shift < key_bits; shift += 8) {
    radix_pass(order_, scratch_, shift + 32);
    order_.swap(scratch_);
  }
}

void RowCollector::collect(const ProfileBatch& batch, std::span<const uint32_t> samples,
                           std::span<const uint32_t> sample_keys, Rows& out) {
  order_.clear();
  uint32_t key_max = 0;
  for (const uint32_t sample : samples) {
    const uint32_t key = sample_keys[sample];
    key_max = std::max(key_max, key);
    order_.push_back(uint64_t{key} << 32U | sample);
  }
  sort(key_max);

  out.types = batch.types();
  out.keys.clear();
  out.values.clear();
  out.totals.assign(out.types, 0);
  for (size_t i = 0; i < order_.size();) {
    const auto key = static_cast<uint32_t>(order_[i] >> 32U);
    const size_t at = out.values.size();
    out.values.resize(at + out.types);
    bool zero = true;
    for (; i < order_.size() && order_[i] >> 32U == key; ++i) {
      for (size_t t = 0; t < out.types; ++t) {
        int64_t& value = out.values[at + t];
        value = saturating_add(value, batch.value(static_cast<uint32_t>(order_[i]), t));
      }
    }
    for (size_t t = 0; t < out.types; ++t) {
      zero = zero && out.values[at + t] == 0;
      out.totals[t] = saturating_add(out.totals[t], out.values[at + t]);
    }
    if (zero) {
      out.values.resize(at);
    } else {
      out.keys.push_back(key);
    }
  }
}

void encode_rows(const Rows& rows, std::string& out) {
  std::string column;
  uint32_t next = 0;
  for (const uint32_t key : rows.keys) {
    put_varint(column, key - next);
    next = key + 1;
  }
  put_str(out, column);
  std::string first;
  for (size_t t = 0; t < rows.types; ++t) {
    const uint64_t divisor = column_divisor(rows, t);
    if (divisor == 0) {
      out.push_back(static_cast<char>(kZero));
      continue;
    }
    column.clear();
    put_quotients(rows, t, static_cast<int64_t>(divisor), column);
    const bool as_first = t > 0 && column == first;
    out.push_back(static_cast<char>(as_first ? kAsFirst : kOwn));
    put_varint(out, divisor);
    if (!as_first) put_str(out, column);
    if (t == 0) first = column;
  }
}

namespace {

Result<Columns> split_columns(std::string_view bytes, size_t types) {
  ByteReader in(bytes);
  Columns columns;
  columns.keys = in.str();
  for (size_t t = 0; t < types && in.ok(); ++t)
    columns.values.push_back(read_column(in, columns.values));
  if (!in.done()) return damaged("malformed columns");
  return columns;
}

// Calls add(key, value) per row.
template <class Add>
Status walk_column(std::string_view key_bytes, const Column& column, size_t rows, Add&& add) {
  ByteReader keys(key_bytes);
  ByteReader quotients(column.quotients);
  uint64_t next = 0;
  for (size_t r = 0; r < rows; ++r) {
    const uint64_t key = next + keys.varint_max(UINT32_MAX);
    int64_t value = 0;
    if (column.divisor != 0 &&
        __builtin_mul_overflow(quotients.svarint(), static_cast<int64_t>(column.divisor), &value)) {
      return damaged("a value over 64 bits");
    }
    if (!keys.ok() || !quotients.ok() || key > UINT32_MAX) return damaged("short columns");
    if (!add(r, static_cast<uint32_t>(key), value)) return damaged("a key without a symbol");
    next = key + 1;
  }
  if (!keys.done() || !quotients.done()) return damaged("long columns");
  return {};
}

}  // namespace

Status decode_rows(std::string_view bytes, size_t rows, size_t types, Rows& out) {
  HEARTH_ASSIGN_OR_RETURN(const Columns columns, split_columns(bytes, types));
  if (rows > columns.keys.size()) return damaged("fewer keys than rows");
  out.types = types;
  out.keys.resize(rows);
  out.values.assign(rows * types, 0);
  out.totals.assign(types, 0);
  for (size_t t = 0; t < types; ++t) {
    const Column& column = columns.values[t];
    HEARTH_RETURN_IF_ERROR(
        walk_column(columns.keys, column, rows, [&](size_t row, uint32_t key, int64_t value) {
          out.keys[row] = key;
          out.values[row * types + t] = value;
          out.totals[t] = saturating_add(out.totals[t], value);
          return true;
        }));
  }
  return {};
}

Status add_encoded_rows(std::string_view bytes, size_t rows, size_t types, size_t type,
                        std::span<int64_t> by_key) {
  HEARTH_ASSIGN_OR_RETURN(const Columns columns, split_columns(bytes, types));
  if (type >= types) return damaged("no such sample type");
  return walk_column(columns.keys, columns.values[type], rows,
                     [&](size_t, uint32_t key, int64_t value) {
                       if (key >= by_key.size()) return false;
                       by_key[key] = saturating_add(by_key[key], value);
                       return true;
                     });
}

}  // namespace hearth::storage
