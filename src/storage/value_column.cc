#include "storage/value_column.h"

#include <algorithm>
#include <numeric>

#include "storage/column_codec.h"
#include "storage/segment_format.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

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

bool fits_single(int64_t quotient, Sign sign) {
  return sign == Sign::either ? zigzag(quotient) <= UINT32_MAX
                              : quotient >= 0 && quotient <= UINT32_MAX;
}

}  // namespace

void put_values(std::span<const int64_t> values, Sign sign, std::string& out) {
  if (std::ranges::all_of(values, [](int64_t v) { return v == 0; })) {
    out.push_back(static_cast<char>(ValueEncoding::zero));
    return;
  }
  const int64_t divisor = common_divisor(values);
  // Mostly 1: the branch is cheaper than the division.
  const auto quotient_of = [&](int64_t v) { return divisor == 1 ? v : v / divisor; };
  const bool single =
      std::ranges::all_of(values, [&](int64_t v) { return fits_single(quotient_of(v), sign); });
  const bool zigzags = !single || sign == Sign::either;
  std::vector<uint32_t> low(values.size());
  std::vector<uint32_t> high(single ? 0 : values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const int64_t quotient = quotient_of(values[i]);
    const uint64_t word = zigzags ? zigzag(quotient) : static_cast<uint64_t>(quotient);
    low[i] = static_cast<uint32_t>(word);
    if (!single) high[i] = static_cast<uint32_t>(word >> 32U);
  }
  out.push_back(static_cast<char>(single ? ValueEncoding::single : ValueEncoding::wide));
  put_varint(out, static_cast<uint64_t>(divisor));
  put_svb(out, low);
  if (!single) put_svb(out, high);
}

bool read_svb_view(ByteReader& reader, size_t n, std::string_view& out) {
  out = reader.str();
  if (reader.ok() && svb::check(out, n)) return true;
  reader.set_error();
  return false;
}

void read_values(ByteReader& reader, size_t n, ValueColumn& out) {
  const uint8_t encoding = reader.u8();
  if (encoding > static_cast<uint8_t>(ValueEncoding::wide)) reader.set_error();
  out = {};
  out.encoding = static_cast<ValueEncoding>(encoding);
  if (out.encoding == ValueEncoding::zero) return;
  if (out.encoding == ValueEncoding::times_period) {
    out.source = static_cast<uint32_t>(reader.varint_max(limit::kSampleTypes - 1));
    return;
  }
  out.multiplier = static_cast<int64_t>(reader.varint_max(INT64_MAX));
  if (out.multiplier == 0) reader.set_error();
  read_svb_view(reader, n, out.low);
  if (out.encoding == ValueEncoding::wide) read_svb_view(reader, n, out.high);
}

bool expand_values(const ValueColumn& column, size_t n, Sign sign, std::vector<int64_t>& out) {
  out.assign(n, 0);
  if (column.encoding == ValueEncoding::zero) return true;
  const bool wide = column.encoding == ValueEncoding::wide;
  const bool zigzags = wide || sign == Sign::either;
  std::vector<uint32_t> low(n);
  std::vector<uint32_t> high(n);
  svb::decode(column.low, n, low.data());
  if (wide) svb::decode(column.high, n, high.data());
  for (size_t i = 0; i < n; ++i) {
    const uint64_t word = uint64_t{high[i]} << 32U | low[i];
    const int64_t quotient = zigzags ? unzigzag(word) : static_cast<int64_t>(word);
    if (__builtin_mul_overflow(quotient, column.multiplier, &out[i])) return false;
  }
  return true;
}

}  // namespace hearth::storage
