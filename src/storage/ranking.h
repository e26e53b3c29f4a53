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

/// `order` lists entries ascending, at least the used ones; `compare` tells which of them are
/// equal.
template <class Compare>
Ranking rank_ordered(std::span<const uint8_t> used, std::span<const uint32_t> order,
                     Compare compare) {
  Ranking r;
  r.rank.assign(used.size(), Ranking::kUnused);
  for (const uint32_t i : order) {
    if (used[i] == 0) continue;
    if (r.first.empty() || compare(r.first.back(), i) != 0) r.first.push_back(i);
    r.rank[i] = static_cast<uint32_t>(r.first.size() - 1);
  }
  return r;
}

/// `compare(a, b)` orders two input entries: negative, 0, positive.
template <class Compare>
Ranking rank_entries(std::span<const uint8_t> used, Compare compare) {
  std::vector<uint32_t> order;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i] != 0) order.push_back(static_cast<uint32_t>(i));
  }
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) { return compare(a, b) < 0; });
  return rank_ordered(used, order, compare);
}

/// The parts of a table that are sorted and unique by themselves: part i is [begin[i], begin[i +
/// 1]). Empty: nothing is known of the order.
using SortedRuns = std::vector<uint32_t>;

/// Merges sorted lists of entries two by two; equal entries become one, and `same_as` leads from
/// the entry that went to the one that stayed.
template <class Compare>
std::vector<uint32_t> merge_two(std::span<const uint32_t> a, std::span<const uint32_t> b,
                                std::vector<uint32_t>& same_as, Compare& compare) {
  std::vector<uint32_t> out;
  out.reserve(a.size() + b.size());
  size_t i = 0;
  size_t j = 0;
  while (i < a.size() && j < b.size()) {
    const int order = compare(a[i], b[j]);
    if (order == 0) same_as[b[j++]] = a[i];
    if (order < 0) out.push_back(a[i++]);
    if (order > 0) out.push_back(b[j++]);
  }
  out.insert(out.end(), a.begin() + static_cast<ptrdiff_t>(i), a.end());
  out.insert(out.end(), b.begin() + static_cast<ptrdiff_t>(j), b.end());
  return out;
}

/// As rank_entries, for entries that come in sorted runs. Runs of one service are nearly alike, so
/// each round of merging two neighbours halves what is left: about two comparisons an entry.
template <class Compare>
Ranking rank_runs(std::span<const uint8_t> used, const SortedRuns& begin, Compare compare) {
  std::vector<std::vector<uint32_t>> lists;
  for (size_t run = 0; run + 1 < begin.size(); ++run) {
    auto& list = lists.emplace_back();
    for (uint32_t i = begin[run]; i < begin[run + 1]; ++i) {
      if (used[i] != 0) list.push_back(i);
    }
  }
  constexpr uint32_t kItself = UINT32_MAX;
  std::vector<uint32_t> same_as(used.size(), kItself);
  while (lists.size() > 1) {
    size_t out = 0;
    for (size_t i = 0; i < lists.size(); i += 2) {
      auto merged = i + 1 < lists.size() ? merge_two(lists[i], lists[i + 1], same_as, compare)
                                         : std::move(lists[i]);
      lists[out++] = std::move(merged);
    }
    lists.resize(out);
  }
  Ranking r;
  if (!lists.empty()) r.first = std::move(lists.front());
  r.rank.assign(used.size(), Ranking::kUnused);
  for (size_t i = 0; i < r.first.size(); ++i) r.rank[r.first[i]] = static_cast<uint32_t>(i);
  for (uint32_t i = 0; i < same_as.size(); ++i) {
    uint32_t at = i;
    while (same_as[at] != kItself) at = same_as[at];
    if (used[i] != 0) r.rank[i] = r.rank[at];
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
