#include "storage/head_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <memory>
#include <numeric>

#include "base/bytes.h"
#include "base/saturate.h"

namespace hearth::storage {
namespace {

constexpr size_t kRadixMin = 64;  // Below it a comparison sort is faster than three passes.

enum ColumnMode : uint8_t { kZero = 0, kOwn = 1, kAsFirst = 2 };

// One counting pass over byte `shift / 8` of the keys.
void radix_pass(const std::vector<uint64_t>& in, std::vector<uint64_t>& out, unsigned shift) {
  std::array<uint32_t, 257> begin{};
  uint32_t* const next = begin.data();
  uint64_t* const to = out.data();
  for (const uint64_t v : in) ++next[(v >> shift & 0xffU) + 1];
  for (size_t i = 1; i < begin.size(); ++i) next[i] += next[i - 1];
  for (const uint64_t v : in) to[next[v >> shift & 0xffU]++] = v;
}

uint64_t magnitude(int64_t v) {
  return v < 0 ? ~static_cast<uint64_t>(v) + 1 : static_cast<uint64_t>(v);
}

// The greatest common divisor of a column, 0 when all is zero. Half of the loop is "does m divide?"
// with a small m, so the quotients of equal values are not computed twice.
uint64_t column_divisor(const Rows& rows, size_t type) {
  uint64_t m = 0;
  int64_t previous = 0;
  const int64_t* const values = rows.values.data();
  const size_t end = rows.values.size();
  for (size_t i = type; i < end; i += rows.types) {
    const int64_t v = values[i];
    if (v == previous) continue;
    previous = v;
    if (m != 0 && magnitude(v) % m == 0) continue;
    m = std::gcd(m, magnitude(v));
    if (m == 1) break;
  }
  // INT64_MIN alone has a magnitude that no int64 holds.
  return m > INT64_MAX ? 1 : m;
}

// Writes value / divisor of each row; returns the end.
char* write_quotients(const Rows& rows, size_t type, int64_t divisor, char* out) {
  const int64_t* const values = rows.values.data();
  const size_t end = rows.values.size();
  if (divisor == 1) {
    for (size_t i = type; i < end; i += rows.types) out = write_varint(out, zigzag(values[i]));
    return out;
  }
  int64_t value = 0;
  uint64_t quotient = 0;
  for (size_t i = type; i < end; i += rows.types) {
    if (values[i] != value) {
      value = values[i];
      quotient = zigzag(value / divisor);
    }
    out = write_varint(out, quotient);
  }
  return out;
}

char* write_keys(const Rows& rows, char* out) {
  uint32_t next = 0;
  for (const uint32_t key : rows.keys) {
    out = write_varint(out, key - next);
    next = key + 1;
  }
  return out;
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
  order_.resize(samples.size());
  uint64_t* const order = order_.data();
  uint32_t key_max = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const uint32_t sample = samples.data()[i];
    const uint32_t key = sample_keys.data()[sample];
    key_max = std::max(key_max, key);
    order[i] = uint64_t{key} << 32U | sample;
  }
  sort(key_max);

  out.types = batch.types();
  out.totals.assign(out.types, 0);
  add_up(batch.samples.values.data(), out);
}

// One row per key of order_. Columns have room for all first: a profile has a row for nearly every
// sample.
void RowCollector::add_up(const int64_t* sample_values, Rows& out) {
  const size_t types = out.types;
  out.keys.resize(order_.size());
  out.values.resize(order_.size() * types);
  const uint64_t* const order = order_.data();
  const size_t n = order_.size();
  int64_t* const totals = out.totals.data();
  size_t rows = 0;
  for (size_t i = 0; i < n;) {
    const uint64_t key = order[i] >> 32U;
    int64_t* const row = out.values.data() + rows * types;
    std::copy_n(sample_values + static_cast<uint32_t>(order[i]) * types, types, row);
    for (++i; i < n && order[i] >> 32U == key; ++i) {
      const int64_t* const more = sample_values + static_cast<uint32_t>(order[i]) * types;
      for (size_t t = 0; t < types; ++t) row[t] = add_saturating(row[t], more[t]);
    }
    bool zero = true;
    for (size_t t = 0; t < types; ++t) {
      zero = zero && row[t] == 0;
      totals[t] = add_saturating(totals[t], row[t]);
    }
    out.keys.data()[rows] = static_cast<uint32_t>(key);
    rows += zero ? 0 : 1;
  }
  out.keys.resize(rows);
  out.values.resize(rows * types);
}

void encode_rows(const Rows& rows, std::string& out) {
  // Two columns: the first type's, which later ones may repeat, and the one being written.
  const size_t column_max = rows.size() * kVarintMax;
  const auto buffer = std::make_unique_for_overwrite<char[]>(2 * column_max);
  put_str(out, {buffer.get(), write_keys(rows, buffer.get())});
  std::string_view first;
  for (size_t t = 0; t < rows.types; ++t) {
    const uint64_t divisor = column_divisor(rows, t);
    if (divisor == 0) {
      out.push_back(static_cast<char>(kZero));
      continue;
    }
    char* const begin = buffer.get() + (t == 0 ? 0 : column_max);
    const std::string_view column(begin,
                                  write_quotients(rows, t, static_cast<int64_t>(divisor), begin));
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
          out.totals[t] = add_saturating(out.totals[t], value);
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
                       by_key[key] = add_saturating(by_key[key], value);
                       return true;
                     });
}

}  // namespace hearth::storage
