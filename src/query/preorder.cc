#include "query/preorder.h"

namespace hearth::query {
namespace {

// Nodes but the root, ascending by rank: a counting sort.
std::vector<uint32_t> by_rank(std::span<const uint32_t> rank, size_t ranks,
                              std::span<const uint8_t> keep) {
  std::vector<uint32_t> begin(ranks + 1, 0);
  for (size_t i = 1; i < rank.size(); ++i) {
    if (keep[i]) ++begin[rank[i] + 1];
  }
  for (size_t r = 1; r <= ranks; ++r) begin[r] += begin[r - 1];
  std::vector<uint32_t> order(begin[ranks]);
  for (size_t i = 1; i < rank.size(); ++i) {
    if (keep[i]) order[begin[rank[i]]++] = static_cast<uint32_t>(i);
  }
  return order;
}

}  // namespace

Preorder canonical_preorder(std::span<const uint32_t> parent, std::span<const uint32_t> rank,
                            size_t ranks, std::span<const uint8_t> keep) {
  const size_t n = parent.size();
  const std::vector<uint32_t> order = by_rank(rank, ranks, keep);
  // Children of p in order of rank are child[child_begin[p] .. child_begin[p + 1]): a second,
  // stable distribution.
  std::vector<uint32_t> child_begin(n + 2, 0);
  for (const uint32_t i : order) ++child_begin[parent[i] + 2];
  for (size_t p = 2; p < child_begin.size(); ++p) child_begin[p] += child_begin[p - 1];
  std::vector<uint32_t> child(order.size());
  for (const uint32_t i : order) child[child_begin[parent[i] + 1]++] = i;

  std::vector<uint32_t> subtree(n, 1);
  for (size_t i = n; i-- > 1;) {
    if (keep[i]) subtree[parent[i]] += subtree[i];
  }
  Preorder result{std::vector<uint32_t>(n, kNoNode), order.size() + 1};
  if (n > 0) result.position[0] = 0;
  for (size_t p = 0; p < n; ++p) {
    uint32_t next = result.position[p] + 1;
    for (uint32_t c = child_begin[p]; c < child_begin[p + 1]; ++c) {
      result.position[child[c]] = next;
      next += subtree[child[c]];
    }
  }
  return result;
}

// In preorder a node's parent is the last node of the depth above, and its sibling before it the
// last of its own depth, when that one comes after the parent.
std::vector<uint32_t> depths_of_preorder(std::span<const uint32_t> parent,
                                         std::span<const uint32_t> rank) {
  std::vector<uint32_t> depth(parent.size(), 0);
  std::vector<uint32_t> last{0};  // By depth, up to that of the node before.
  for (uint32_t i = 1; i < parent.size(); ++i) {
    const uint32_t d = depth[parent[i]] + 1;
    if (d > last.size() || last[d - 1] != parent[i]) return {};
    if (d < last.size() && last[d] > parent[i] && rank[last[d]] >= rank[i]) return {};
    last.resize(d + 1);
    last[d] = i;
    depth[i] = d;
  }
  return depth;
}

}  // namespace hearth::query
