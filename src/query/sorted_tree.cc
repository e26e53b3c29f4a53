#include "query/sorted_tree.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/saturate.h"

namespace hearth::query {
namespace {

// Trees are merged when this many wait, or this many bytes of them.
constexpr size_t kTreesMax = 32;
constexpr size_t kBytesMax = size_t{32} << 20U;

size_t memory_of(const std::vector<SortedTree>& trees) {
  size_t bytes = 0;
  for (const SortedTree& tree : trees) bytes += tree.memory_bytes();
  return bytes;
}

std::vector<uint32_t> parents_of(const std::vector<uint32_t>& depth) {
  std::vector<uint32_t> parent(depth.size(), 0);
  std::vector<uint32_t> last{0};  // By depth: the last node there.
  for (uint32_t i = 1; i < depth.size(); ++i) {
    if (depth[i] >= last.size()) last.resize(depth[i] + 1);
    last[depth[i]] = i;
    parent[i] = last[depth[i] - 1];
  }
  return parent;
}

// Nodes whose total is 0 go with all that is below them.
void drop_empty(FunctionTree& tree) {
  if (std::find(tree.total.begin() + 1, tree.total.end(), 0) == tree.total.end()) return;
  std::vector<uint32_t> place(tree.size(), kNoNode);
  place[0] = 0;
  uint32_t kept = 1;
  for (size_t i = 1; i < tree.size(); ++i) {
    const uint32_t up = place[tree.parent[i]];
    if (tree.total[i] == 0 || up == kNoNode) continue;
    place[i] = kept;
    tree.parent[kept] = up;
    tree.depth[kept] = tree.depth[i];
    tree.name[kept] = tree.name[i];
    tree.self[kept] = tree.self[i];
    tree.total[kept] = tree.total[i];
    ++kept;
  }
  tree.parent.resize(kept);
  tree.depth.resize(kept);
  tree.name.resize(kept);
  tree.self.resize(kept);
  tree.total.resize(kept);
}

}  // namespace

size_t SortedTree::memory_bytes() const {
  return (depth.capacity() + label.capacity()) * sizeof(uint32_t) +
         self.capacity() * sizeof(int64_t) + labels.capacity() * sizeof(std::string_view);
}

FunctionTree to_function_tree(SortedTree sorted) {
  FunctionTree tree;
  tree.without_stack = std::exchange(sorted.self[0], 0);
  tree.parent = parents_of(sorted.depth);
  tree.depth = std::move(sorted.depth);
  tree.name = std::move(sorted.label);
  tree.self = std::move(sorted.self);
  tree.total = tree.self;
  for (size_t i = tree.size(); i-- > 1;) {
    int64_t& up = tree.total[tree.parent[i]];
    up = add_saturating(up, tree.total[i]);
  }
  drop_empty(tree);
  keep_used_names(tree, sorted.labels);
  return tree;
}

Status TreeMerger::charge(size_t extra) {
  size_t bytes = extra;
  for (const auto& trees : waiting_) bytes += memory_of(trees);
  if (charge_.bytes() != 0) return charge_.resize(bytes);
  HEARTH_ASSIGN_OR_RETURN(charge_, memory_->charge(bytes, "a merged tree"));
  return {};
}

// While they are merged, what becomes of them stands beside them, linked and then as it is wanted.
Result<SortedTree> TreeMerger::merge(std::vector<SortedTree>& trees) {
  HEARTH_RETURN_IF_ERROR(charge(2 * memory_of(trees)));
  return merge_sorted(std::exchange(trees, {}));
}

Status TreeMerger::add(SortedTree tree, size_t level) {
  for (;; ++level) {
    if (level >= waiting_.size()) waiting_.resize(level + 1);
    std::vector<SortedTree>& trees = waiting_[level];
    trees.push_back(std::move(tree));
    HEARTH_RETURN_IF_ERROR(charge(0));
    const bool full =
        trees.size() == kTreesMax || (trees.size() > 1 && memory_of(trees) > kBytesMax);
    if (!full) return {};
    HEARTH_ASSIGN_OR_RETURN(tree, merge(trees));
  }
}

Status TreeMerger::add(TreeMerger&& other) {
  for (auto& owner : other.owners_) hold(std::move(owner));
  for (size_t level = 0; level < other.waiting_.size(); ++level) {
    for (SortedTree& tree : other.waiting_[level])
      HEARTH_RETURN_IF_ERROR(add(std::move(tree), level));
  }
  return {};
}

Result<FunctionTree> TreeMerger::finish() {
  std::vector<SortedTree> all;
  for (auto& trees : std::exchange(waiting_, {})) std::ranges::move(trees, std::back_inserter(all));
  if (all.empty()) return empty_function_tree();
  waiting_.push_back(std::move(all));
  HEARTH_ASSIGN_OR_RETURN(SortedTree tree, merge(waiting_[0]));
  // Two more columns, and the numbers of the parents.
  HEARTH_RETURN_IF_ERROR(
      charge(tree.memory_bytes() + tree.size() * (2 * sizeof(uint32_t) + sizeof(int64_t))));
  return to_function_tree(std::move(tree));
}

Result<FunctionTree> merge_all(std::vector<TreeMerger> mergers) {
  for (size_t i = 1; i < mergers.size(); ++i)
    HEARTH_RETURN_IF_ERROR(mergers[0].add(std::move(mergers[i])));
  return mergers[0].finish();
}

}  // namespace hearth::query
