#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace hearth::storage {

/// The canonical numbering of a table: used entries sorted, equal ones merged.
/// Shape: rank has one entry per input entry (kUnused where not used); first[r] is an input entry
/// with rank r.
struct Ranking {
  static constexpr uint32_t kUnused = UINT32_MAX;
  std::vector<uint32_t> rank;
  std::vector<uint32_t> first;
  [[nodiscard]] size_t size() const { return first.size(); }
};

/// `compare(a, b)` orders two input entries: negative, 0, positive.
template <class Compare>
Ranking rank_entries(std::span<const uint8_t> used, Compare compare) {
  std::vector<uint32_t> order;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i] != 0) order.push_back(static_cast<uint32_t>(i));
  }
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) { return compare(a, b) < 0; });
  Ranking r;
  r.rank.assign(used.size(), Ranking::kUnused);
  for (const uint32_t i : order) {
    if (r.first.empty() || compare(r.first.back(), i) != 0) r.first.push_back(i);
    r.rank[i] = static_cast<uint32_t>(r.first.size() - 1);
  }
  return r;
}

/// Three-way comparison by operator<, for tuples and strings.
template <class T>
int compare_values(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

/// out[i] = column[order[i]].
template <class T>
std::vector<T> gather(std::span<const T> column, std::span<const uint32_t> order) {
  std::vector<T> out(order.size());
  for (size_t i = 0; i < order.size(); ++i) out[i] = column[order[i]];
  return out;
}

}  // namespace hearth::storage
