#include "storage/tree_order.h"

#include <algorithm>
#include <numeric>

namespace hearth::storage {

std::vector<uint32_t> counting_sort(std::span<const uint32_t> items, std::span<const uint32_t> key,
                                    size_t keys) {
  std::vector<uint32_t> next(keys + 1);
  for (const uint32_t i : items) ++next[key[i] + 1];
  std::partial_sum(next.begin(), next.end(), next.begin());
  std::vector<uint32_t> out(items.size());
  for (const uint32_t i : items) out[next[key[i]]++] = i;
  return out;
}

std::vector<uint32_t> order_siblings(std::span<const uint32_t> parent,
                                     std::span<const uint32_t> rank) {
  std::vector<uint32_t> order(parent.size() - 1);
  std::iota(order.begin(), order.end(), 1);
  order = counting_sort(order, rank, std::ranges::max(rank) + size_t{1});
  return counting_sort(order, parent, parent.size());
}

std::vector<uint32_t> preorder(std::span<const uint32_t> parent, std::span<const uint32_t> order) {
  const size_t n = parent.size();
  std::vector<uint32_t> size(n, 1);
  for (size_t i = n; i-- > 1;) size[parent[i]] += size[i];
  std::vector<uint32_t> number(n);
  std::vector<uint32_t> next(n, 1);
  for (const uint32_t i : order) {
    number[i] = next[parent[i]];
    next[parent[i]] += size[i];
    next[i] = number[i] + 1;
  }
  return number;
}

}  // namespace hearth::storage
