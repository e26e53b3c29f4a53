#include "storage/side_data.h"

#include <algorithm>
#include <numeric>

#include "base/saturate.h"
#include "storage/saturating_sum.h"

namespace hearth::storage {

bool SideSelector::accepts(const SideEntry& entry) const {
  return (spans.empty() || std::ranges::binary_search(spans, entry.span_id)) &&
         (traces.empty() || std::ranges::binary_search(traces, entry.trace_id));
}

void SideSorter::append(std::span<const SideEntry> entries, std::span<const int64_t> values,
                        size_t types, SideTable& out) {
  order_.resize(entries.size());
  std::iota(order_.begin(), order_.end(), 0U);
  std::ranges::sort(order_, {}, [&](uint32_t i) -> const SideEntry& { return entries[i]; });
  const size_t before = out.entries.size();
  for (size_t i = 0; i < order_.size();) {
    const SideEntry& entry = entries[order_[i]];
    size_t end = i + 1;
    while (end < order_.size() && entries[order_[end]] == entry) ++end;
    bool any = false;
    const size_t first_value = out.values.size();
    for (size_t t = 0; t < types; ++t) {
      column_.clear();
      for (size_t k = i; k < end; ++k) column_.push_back(values[order_[k] * types + t]);
      out.values.push_back(saturating_sum(column_));
      any = any || out.values.back() != 0;
    }
    if (any && !entry.says_nothing()) {
      out.entries.push_back(entry);
    } else {
      out.values.resize(first_value);
    }
    i = end;
  }
  out.count.push_back(static_cast<uint32_t>(out.entries.size() - before));
}

void add_side_values(const SideTable& side, size_t begin, size_t end, size_t types, size_t type,
                     const SideSelector& selector, std::span<int64_t> by_key) {
  for (size_t e = begin; e < end; ++e) {
    if (!selector.accepts(side.entries[e])) continue;
    int64_t& sum = by_key[side.entries[e].key];
    sum = add_saturating(sum, side.values[e * types + type]);
  }
}

}  // namespace hearth::storage
