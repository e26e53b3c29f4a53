#include "storage/heap_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>
#include <utility>

#include "storage/canonical_dataset.h"

namespace hearth::storage {
namespace {

constexpr size_t kVerbatimShare = 8;

/// c of another machine differs from ours by a few units in the last place.
double nudged(double c, int ulps) {
  for (; ulps > 0; --ulps) c = std::nextafter(c, INFINITY);
  for (; ulps < 0; ++ulps) c = std::nextafter(c, 1.0);
  return c;
}

/// Finds the counters of all rows, then better factors for those that had none.
class Unscaler {
 public:
  explicit Unscaler(const CanonicalDataset& dataset)
      : dataset_(dataset),
        sizes_(heap_key_sizes(dataset.symbols.columns.view())),
        last_(sizes_.size()) {}

  HeapRows run() {
    const size_t rows = dataset_.row_key.size();
    out_.allocs.assign(rows, 0);
    out_.frees.assign(rows, 0);
    out_.verbatim.assign(rows, 1);
    bool failed = false;
    for_each_row([&](size_t row, int64_t rate) {
      Factor* factor = factor_of(row, rate);
      if (factor == nullptr || repeat_counters(row, *factor) || set_counters(row, *factor)) return;
      factor->failed = true;
      failed = true;
    });
    if (failed) improve();
    for (const auto& [key, factor] : factors_) {
      if (factor.used) out_.factors.push_back({key.second, key.first, factor.scale.c});
    }
    return std::move(out_);
  }

 private:
  struct Factor {
    HeapScale scale;
    bool failed = false, used = false;
    std::vector<size_t> rows;  ///< Filled for factors that failed.
  };
  /// The row in which a key was seen last, and its factor.
  struct Last {
    size_t row = 0;
    const Factor* factor = nullptr;
  };
  using FactorMap = std::map<std::pair<int64_t, uint64_t>, Factor>;

  template <class Visit>
  void for_each_row(Visit visit) const {
    size_t row = 0;
    for (size_t p = 0; p < dataset_.profiles.size(); ++p) {
      for (const size_t end = row + dataset_.profiles.rows[p]; row < end; ++row)
        visit(row, dataset_.profiles.period[p]);
    }
  }

  [[nodiscard]] HeapValues values(size_t row) const {
    const auto& v = dataset_.row_values;
    return {v[0][row], v[1][row], v[2][row], v[3][row]};
  }

  /// nullptr for a key without a block size.
  Factor* factor_of(size_t row, int64_t rate) {
    const uint32_t key = dataset_.row_key[row];
    if (rate != cached_rate_ || by_key_.empty()) {
      by_key_.assign(sizes_.size(), nullptr);
      cached_rate_ = rate;
    }
    if (by_key_[key] == nullptr && sizes_[key] != 0) {
      const auto [it, added] = factors_.try_emplace({rate, sizes_[key]});
      if (added) {
        it->second.scale = {static_cast<double>(sizes_[key]), heap_scale_factor(sizes_[key], rate)};
      }
      by_key_[key] = &it->second;
    }
    return by_key_[key];
  }

  bool set_counters(size_t row, Factor& factor) {
    const auto counts = unscale_heap(values(row), factor.scale);
    out_.verbatim[row] = counts ? 0 : 1;
    out_.allocs[row] = counts ? counts->allocs : 0;
    out_.frees[row] = counts ? counts->frees : 0;
    factor.used = factor.used || counts.has_value();
    return counts.has_value();
  }

  /// Most rows are those of the profile before, whose counters are known.
  bool repeat_counters(size_t row, const Factor& factor) {
    Last& last = last_[dataset_.row_key[row]];
    const Last before = std::exchange(last, {row, &factor});
    if (before.factor != &factor || out_.verbatim[before.row] != 0) return false;
    if (values(before.row) != values(row)) return false;
    out_.verbatim[row] = 0;
    out_.allocs[row] = out_.allocs[before.row];
    out_.frees[row] = out_.frees[before.row];
    return true;
  }

  [[nodiscard]] size_t failures(const Factor& factor, const HeapScale& scale) const {
    return static_cast<size_t>(std::ranges::count_if(
        factor.rows, [&](size_t row) { return !unscale_heap(values(row), scale); }));
  }

  void improve() {
    for_each_row([&](size_t row, int64_t rate) {
      Factor* factor = factor_of(row, rate);
      if (factor != nullptr && factor->failed) factor->rows.push_back(row);
    });
    for (auto& [key, factor] : factors_) {
      if (!factor.failed) continue;
      const double own = factor.scale.c;
      size_t fewest = failures(factor, factor.scale);
      for (const int ulps : {1, -1, 2, -2}) {
        const HeapScale scale{factor.scale.size, nudged(own, ulps)};
        const size_t failed = failures(factor, scale);
        if (failed >= fewest) continue;
        fewest = failed;
        factor.scale = scale;
      }
      factor.used = false;
      for (const size_t row : factor.rows) set_counters(row, factor);
    }
  }

  const CanonicalDataset& dataset_;
  const std::vector<uint64_t> sizes_;
  FactorMap factors_;
  int64_t cached_rate_ = 0;
  std::vector<Factor*> by_key_;
  std::vector<Last> last_;
  HeapRows out_;
};

bool has_zero_row(const CanonicalDataset& d) {
  for (size_t row = 0; row < d.row_key.size(); ++row) {
    if (std::ranges::all_of(d.row_values, [&](const auto& column) { return column[row] == 0; }))
      return true;
  }
  return false;
}

}  // namespace

std::optional<HeapRows> unscale_rows(const CanonicalDataset& dataset) {
  if (!dataset.go_heap || has_zero_row(dataset)) return std::nullopt;
  HeapRows rows = Unscaler(dataset).run();
  const auto verbatim = static_cast<size_t>(std::ranges::count(rows.verbatim, 1));
  if (rows.factors.empty() || verbatim * kVerbatimShare > rows.verbatim.size()) return std::nullopt;
  return rows;
}

}  // namespace hearth::storage
