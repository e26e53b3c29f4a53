#include "storage/row_adder.h"

#include <algorithm>

#include "base/saturate.h"
#include "base/varint.h"
#include "storage/segment_format.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::rows, what);
}

void decode_column(std::string_view bytes, size_t n, std::vector<uint32_t>& out) {
  if (out.size() < n) out.resize(n);
  svb::decode(bytes, n, out.data());
}

/// Calls add(key, row) for rows [0, n) of a profile. Precondition: the last key is in range, hence
/// all are.
template <class Add>
bool for_each_row(const uint32_t* gaps, size_t n, Add add) {
  uint32_t key = gaps[0];
  if (!add(key, 0)) return false;
  for (size_t i = 1; i < n; ++i) {
    key += gaps[i] + 1;
    if (!add(key, i)) return false;
  }
  return true;
}

}  // namespace

Status RowAdder::add_profile(size_t begin, size_t end, int64_t factor, bool wide,
                             std::span<int64_t> by_key) const {
  const size_t n = end - begin;
  if (n == 0) return {};
  const uint32_t* const gaps = gaps_.data() + begin;
  uint64_t last = n - 1;
  for (size_t i = 0; i < n; ++i) last += gaps[i];
  if (last >= by_key.size()) return damaged("key out of range");
  int64_t* const to = by_key.data();
  const uint32_t* const low = low_.data() + begin;
  // A factor below 2^31 times a value below 2^32 always fits: the common case needs no test per
  // row.
  if (!wide && factor >= 0 && factor <= INT32_MAX) {
    for_each_row(gaps, n, [&](uint32_t key, size_t i) {
      to[key] = add_saturating(to[key], static_cast<int64_t>(low[i]) * factor);
      return true;
    });
    return {};
  }
  const uint32_t* const high = wide ? high_.data() + begin : nullptr;
  const bool fits = for_each_row(gaps, n, [&](uint32_t key, size_t i) {
    const int64_t quotient =
        wide ? unzigzag(uint64_t{high[i]} << 32U | low[i]) : static_cast<int64_t>(low[i]);
    int64_t value;
    if (__builtin_mul_overflow(quotient, factor, &value)) return false;
    to[key] = add_saturating(to[key], value);
    return true;
  });
  if (!fits) return damaged("a value does not fit 64 bits");
  return {};
}

bool RowAdder::all_zero(size_t begin, size_t end, bool wide) const {
  for (size_t i = begin; i < end; ++i) {
    if (low_[i] != 0 || (wide && high_[i] != 0)) return false;
  }
  return true;
}

Status RowAdder::add(const ParsedRowBlock& block, size_t type, size_t first_profile,
                     std::span<const uint32_t> rows, std::span<const int64_t> period,
                     std::span<const uint32_t> chosen, std::span<int64_t> by_key) {
  if (block.form != RowForm::plain)
    return chain_.add(block, type, first_profile, period, heap.get(), chosen, by_key);
  const bool by_period = block.columns[type].encoding == ValueEncoding::times_period;
  const ValueColumn& base = block.base(type);
  if (base.encoding == ValueEncoding::zero) return {};
  const bool wide = base.encoding == ValueEncoding::wide;
  decode_column(block.key_gaps, block.rows, gaps_);
  decode_column(base.low, block.rows, low_);
  if (wide) decode_column(base.high, block.rows, high_);
  size_t row = 0;
  size_t next = 0;
  for (size_t p = 0; p < rows.size() && next < chosen.size(); ++p) {
    const size_t begin = row;
    row += rows[p];
    if (chosen[next] != first_profile + p) continue;
    ++next;
    int64_t factor = base.multiplier;
    if (by_period && __builtin_mul_overflow(factor, period[p], &factor)) {
      // Right as long as the profile has nothing but zeros in this column.
      if (!all_zero(begin, row, wide)) return damaged("a value does not fit 64 bits");
      factor = 0;
    }
    HEARTH_RETURN_IF_ERROR(add_profile(begin, row, factor, wide, by_key));
  }
  return {};
}

}  // namespace hearth::storage
