#include "query/page_tree.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/saturate.h"
#include "query/preorder.h"

namespace hearth::query {
namespace {

// The smallest total that at most `cap` frames reach, but not below `min`. The root is always sent.
int64_t raise_min(const CallTree& tree, int64_t min, uint64_t cap) {
  std::vector<int64_t> totals;
  for (size_t i = 1; i < tree.size(); ++i) {
    if (tree.total[i] >= min) totals.push_back(tree.total[i]);
  }
  const uint64_t room = cap > 0 ? cap - 1 : 0;
  if (totals.size() <= room) return min;
  // The largest frame that has no room, and all that are as small, must go.
  const auto first_out = totals.begin() + static_cast<std::ptrdiff_t>(room);
  std::nth_element(totals.begin(), first_out, totals.end(), std::greater<>());
  return add_saturating(*first_out, 1);
}

// The frames that stay and one node for what each of them folds, in any order.
struct Sent {
  std::vector<uint32_t> parent, name;
  std::vector<int64_t> self, total;
  std::vector<uint8_t> folded;

  uint32_t add(uint32_t its_parent, uint32_t its_name, int64_t its_self, int64_t its_total,
               bool is_folded) {
    parent.push_back(its_parent);
    name.push_back(its_name);
    self.push_back(its_self);
    total.push_back(its_total);
    folded.push_back(is_folded);
    return static_cast<uint32_t>(parent.size() - 1);
  }
};

Sent choose(const CallTree& tree, int64_t min) {
  Sent sent;
  std::vector<uint32_t> id(tree.size(), kNoNode);
  std::vector<int64_t> rest(tree.folded);
  for (size_t i = 0; i < tree.size(); ++i) {
    const uint32_t up = tree.parent[i];
    if (i == 0 || (id[up] != kNoNode && tree.total[i] >= min)) {
      id[i] = sent.add(i == 0 ? 0 : id[up], tree.name[i], tree.self[i], tree.total[i], false);
    } else if (id[up] != kNoNode) {
      rest[up] = add_saturating(rest[up], tree.total[i]);
    }
  }
  for (size_t i = 0; i < tree.size(); ++i) {
    if (id[i] != kNoNode && rest[i] != 0) sent.add(id[i], 0, rest[i], rest[i], true);
  }
  return sent;
}

// rank[i] of node i in the order of siblings: folded last, then by total descending, then by name.
std::vector<uint32_t> display_ranks(const Sent& sent) {
  std::vector<uint32_t> order(sent.parent.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [&sent](uint32_t a, uint32_t b) {
    if (sent.folded[a] != sent.folded[b]) return sent.folded[a] < sent.folded[b];
    if (sent.total[a] != sent.total[b]) return sent.total[a] > sent.total[b];
    return sent.name[a] != sent.name[b] ? sent.name[a] < sent.name[b] : a < b;
  });
  std::vector<uint32_t> rank(order.size());
  for (uint32_t r = 0; r < order.size(); ++r) rank[order[r]] = r;
  return rank;
}

}  // namespace

CallTree subtree(const FunctionTree& tree, uint32_t node) {
  CallTree out;
  const uint32_t end = subtree_end(tree, node);
  for (uint32_t i = node; i < end; ++i) {
    out.parent.push_back(i == node ? 0 : tree.parent[i] - node);
    out.name.push_back(tree.name[i]);
    out.self.push_back(tree.self[i]);
    out.total.push_back(tree.total[i]);
  }
  out.folded.assign(out.size(), 0);
  out.frames = out.size();
  return out;
}

int64_t default_min(int64_t total) {
  return std::max<int64_t>(1, total / 4096);
}

PageTree level_of_detail(const CallTree& tree, const DetailOptions& options) {
  PageTree page;
  page.frames = tree.frames;
  page.total = tree.total[0];
  const int64_t wanted = std::max<int64_t>(1, options.min.value_or(default_min(tree.total[0])));
  page.min = raise_min(tree, wanted, options.cap);
  const Sent sent = choose(tree, page.min);
  const size_t n = sent.parent.size();
  const Preorder order =
      canonical_preorder(sent.parent, display_ranks(sent), n, std::vector<uint8_t>(n, 1));
  page.depth.resize(n);
  page.name.resize(n);
  page.self.resize(n);
  page.folded.resize(n);
  // Parents come before what they fold and before their children, so a parent's depth is known
  // first.
  for (size_t i = 0; i < n; ++i) {
    const uint32_t at = order.position[i];
    page.depth[at] = i == 0 ? 0 : page.depth[order.position[sent.parent[i]]] + 1;
    page.name[at] = sent.name[i];
    page.self[at] = sent.self[i];
    page.folded[at] = sent.folded[i];
  }
  return page;
}

}  // namespace hearth::query
