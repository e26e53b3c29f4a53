#include "query/function_tree.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/saturate.h"
#include "query/preorder.h"

namespace hearth::query {
namespace {

// rank[i] = place of texts[i] among all of them, bytewise; text 0 is "" and comes first.
std::vector<uint32_t> ranks_of(const std::vector<std::string_view>& texts) {
  std::vector<uint32_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(),
            [&texts](uint32_t a, uint32_t b) { return texts[a] < texts[b]; });
  std::vector<uint32_t> rank(texts.size());
  for (uint32_t r = 0; r < order.size(); ++r) rank[order[r]] = r;
  return rank;
}

std::vector<int64_t> totals_of(const LooseTree& tree) {
  std::vector<int64_t> total = tree.self;
  for (size_t i = total.size(); i-- > 1;)
    total[tree.parent[i]] = add_saturating(total[tree.parent[i]], total[i]);
  return total;
}

void resize_columns(FunctionTree& tree, size_t n) {
  tree.parent.resize(n);
  tree.depth.resize(n);
  tree.name.resize(n);
  tree.self.resize(n);
  tree.total.resize(n);
}

// Fills the tree with the nodes that are kept, in canonical order.
void reorder(const LooseTree& loose, const std::vector<uint32_t>& rank,
             const std::vector<int64_t>& total, const std::vector<uint8_t>& keep,
             FunctionTree& tree) {
  const Preorder order = canonical_preorder(loose.parent, rank, loose.names.size(), keep);
  resize_columns(tree, order.size);
  for (size_t i = 0; i < loose.parent.size(); ++i) {
    const uint32_t at = order.position[i];
    if (at == kNoNode) continue;
    tree.parent[at] = order.position[loose.parent[i]];
    tree.name[at] = rank[i];
    tree.self[at] = loose.self[i];
    tree.total[at] = total[i];
  }
  for (size_t i = 1; i < tree.size(); ++i) tree.depth[i] = tree.depth[tree.parent[i]] + 1;
}

}  // namespace

void keep_used_names(FunctionTree& tree, const std::vector<std::string_view>& texts) {
  std::vector<uint8_t> used(texts.size(), 0);
  used[0] = 1;
  for (const uint32_t name : tree.name) used[name] = 1;
  std::vector<uint32_t> renumbered(texts.size(), 0);
  for (size_t r = 0; r < texts.size(); ++r) {
    if (!used[r]) continue;
    renumbered[r] = static_cast<uint32_t>(tree.names.size());
    tree.names.emplace_back(texts[r]);
  }
  for (uint32_t& name : tree.name) name = renumbered[name];
}

FunctionTree empty_function_tree() {
  FunctionTree tree;
  resize_columns(tree, 1);
  tree.names = {""};
  return tree;
}

FunctionTree canonical_tree(LooseTree loose) {
  const size_t n = loose.parent.size();
  if (n == 0) return empty_function_tree();
  const std::vector<uint32_t> name_rank = ranks_of(loose.names);
  std::vector<int64_t> total = totals_of(loose);
  std::vector<uint32_t> rank(n);
  std::vector<uint8_t> keep(n);
  for (size_t i = 0; i < n; ++i) {
    rank[i] = name_rank[loose.name[i]];
    keep[i] = total[i] != 0 && (i == 0 || keep[loose.parent[i]]);
  }
  FunctionTree tree;
  if (std::find(keep.begin() + 1, keep.end(), 0) == keep.end())
    tree.depth = depths_of_preorder(loose.parent, rank);
  if (!tree.depth.empty()) {
    tree.parent = std::move(loose.parent);
    tree.name = std::move(rank);
    tree.self = std::move(loose.self);
    tree.total = std::move(total);
  } else {
    reorder(loose, rank, total, keep, tree);
  }
  std::vector<std::string_view> by_rank(loose.names.size());
  for (size_t i = 0; i < name_rank.size(); ++i) by_rank[name_rank[i]] = loose.names[i];
  keep_used_names(tree, by_rank);
  return tree;
}

int64_t FunctionTree::threshold(int64_t max_nodes) const {
  if (max_nodes <= 0 || size() <= 1 || static_cast<uint64_t>(max_nodes) >= size() - 1) return 0;
  std::vector<int64_t> totals(total.begin() + 1, total.end());
  const auto nth = totals.begin() + (max_nodes - 1);
  std::nth_element(totals.begin(), nth, totals.end(), std::greater<>());
  return *nth;
}

FunctionTree FunctionTree::cut(int64_t threshold) const {
  if (threshold <= 0) return *this;
  LooseTree loose;
  loose.names.assign(names.begin(), names.end());
  const auto known = std::find(names.begin(), names.end(), kOther);
  const auto other = static_cast<uint32_t>(known - names.begin());
  if (known == names.end()) loose.names.push_back(kOther);

  const auto append = [&loose](uint32_t to_parent, uint32_t its_name, int64_t its_self) {
    loose.parent.push_back(to_parent);
    loose.name.push_back(its_name);
    loose.self.push_back(its_self);
    return static_cast<uint32_t>(loose.parent.size() - 1);
  };
  std::vector<uint32_t> stays(size(), kNoNode);     // New id of each node that stays,
  std::vector<uint32_t> other_of(size(), kNoNode);  // and of its child `other`.
  for (size_t i = 0; i < size(); ++i) {
    if (i == 0) {
      stays[i] = append(0, name[i], self[i]);
    } else if (stays[parent[i]] != kNoNode && (total[i] >= threshold || name[i] == other)) {
      stays[i] = append(stays[parent[i]], name[i], self[i]);
      if (name[i] == other) other_of[parent[i]] = stays[i];
    }
  }
  for (size_t i = 1; i < size(); ++i) {
    const uint32_t p = parent[i];
    if (stays[i] != kNoNode || stays[p] == kNoNode) continue;
    if (other_of[p] == kNoNode) other_of[p] = append(stays[p], other, 0);
    loose.self[other_of[p]] = add_saturating(loose.self[other_of[p]], total[i]);
  }
  FunctionTree result = canonical_tree(std::move(loose));
  result.without_stack = without_stack;
  return result;
}

uint32_t subtree_end(const FunctionTree& tree, uint32_t node) {
  auto end = node + 1;
  while (end < tree.size() && tree.depth[end] > tree.depth[node]) ++end;
  return end;
}

uint32_t find_path(const FunctionTree& tree, const std::vector<std::string>& path) {
  uint32_t at = 0;
  for (const std::string& frame : path) {
    const uint32_t end = subtree_end(tree, at);
    uint32_t child = at + 1;
    while (child < end && tree.names[tree.name[child]] != frame) child = subtree_end(tree, child);
    if (child >= end) return kNoNode;
    at = child;
  }
  return at;
}

FunctionTree below_call_site(FunctionTree tree, const std::vector<std::string>& call_site) {
  const uint32_t top = find_path(tree, call_site);
  if (top == kNoNode) return empty_function_tree();
  const uint32_t end = subtree_end(tree, top);
  LooseTree loose{tree.parent, tree.name, tree.self, {tree.names.begin(), tree.names.end()}};
  for (size_t i = 0; i < tree.size(); ++i) {
    if (i < top || i >= end) loose.self[i] = 0;
  }
  return canonical_tree(std::move(loose));
}

std::vector<FunctionRow> function_table(const FunctionTree& tree) {
  std::vector<FunctionRow> by_name(tree.names.size());
  std::vector<uint32_t> open(tree.names.size(),
                             0);  // How often a name is on the path to the current node.
  std::vector<uint32_t> path;     // Names of that path, root side first, the root left out.
  std::vector<uint8_t> seen(tree.names.size(), 0);
  for (size_t i = 1; i < tree.size(); ++i) {
    for (; path.size() >= tree.depth[i]; path.pop_back()) --open[path.back()];
    const uint32_t name = tree.name[i];
    FunctionRow& row = by_name[name];
    seen[name] = 1;
    row.name = name;
    row.self = add_saturating(row.self, tree.self[i]);
    if (open[name] == 0) row.total = add_saturating(row.total, tree.total[i]);
    ++open[name];
    path.push_back(name);
  }
  std::vector<FunctionRow> rows;
  for (size_t name = 0; name < by_name.size(); ++name) {
    if (seen[name]) rows.push_back(by_name[name]);
  }
  // Names ascend with their index, so a stable sort leaves ties in order of name.
  std::stable_sort(rows.begin(), rows.end(),
                   [](const FunctionRow& a, const FunctionRow& b) { return a.self > b.self; });
  return rows;
}

}  // namespace hearth::query
