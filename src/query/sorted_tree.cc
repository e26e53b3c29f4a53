#include "query/sorted_tree.h"

#include <algorithm>
#include <utility>

#include "base/saturate.h"

namespace hearth::query {
namespace {

// The labels of two trees in one ascending list, and where those of either went.
struct JointLabels {
  std::vector<std::string_view> labels;
  std::vector<uint32_t> of_a, of_b;
};

JointLabels join(const std::vector<std::string_view>& a, const std::vector<std::string_view>& b) {
  JointLabels out;
  out.labels.reserve(std::max(a.size(), b.size()));
  out.of_a.reserve(a.size());
  out.of_b.reserve(b.size());
  while (out.of_a.size() < a.size() || out.of_b.size() < b.size()) {
    const bool only_a = out.of_b.size() == b.size();
    const bool only_b = out.of_a.size() == a.size();
    const int order = only_a ? -1 : only_b ? 1 : a[out.of_a.size()].compare(b[out.of_b.size()]);
    const auto at = static_cast<uint32_t>(out.labels.size());
    out.labels.push_back(order <= 0 ? a[out.of_a.size()] : b[out.of_b.size()]);
    if (order <= 0) out.of_a.push_back(at);
    if (order >= 0) out.of_b.push_back(at);
  }
  return out;
}

// Of two trees in canonical order, the node comes next whose number is smaller: one that lies
// deeper belongs to a subtree that the other tree has left already; nodes of one depth are
// siblings, and their labels decide.
std::vector<uint64_t> order_of(const SortedTree& tree, const std::vector<uint32_t>& labels) {
  std::vector<uint64_t> order(tree.size());
  for (size_t i = 0; i < tree.size(); ++i)
    order[i] = uint64_t{~tree.depth[i]} << 32U | labels[tree.label[i]];
  return order;
}

void put(SortedTree& tree, size_t n, uint64_t order, int64_t self) {
  tree.depth[n] = ~static_cast<uint32_t>(order >> 32U);
  tree.label[n] = static_cast<uint32_t>(order);
  tree.self[n] = self;
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

SortedTree merge_sorted(const SortedTree& a, const SortedTree& b) {
  SortedTree out;
  JointLabels joint = join(a.labels, b.labels);
  const std::vector<uint64_t> order_a = order_of(a, joint.of_a);
  const std::vector<uint64_t> order_b = order_of(b, joint.of_b);
  const size_t nodes_max = a.size() + b.size() - 1;
  out.depth.resize(nodes_max);
  out.label.resize(nodes_max);
  out.self.resize(nodes_max);
  size_t i = 0;
  size_t j = 0;
  size_t n = 0;
  // The roots are equal. Which tree has the next node is as good as random, so nothing branches.
  while (i < a.size() && j < b.size()) {
    const uint64_t at_a = order_a[i];
    const uint64_t at_b = order_b[j];
    const bool from_a = at_a <= at_b;
    const bool from_b = at_b <= at_a;
    put(out, n++, from_a ? at_a : at_b,
        add_saturating(from_a ? a.self[i] : 0, from_b ? b.self[j] : 0));
    i += static_cast<size_t>(from_a);
    j += static_cast<size_t>(from_b);
  }
  for (; i < a.size(); ++i) put(out, n++, order_a[i], a.self[i]);
  for (; j < b.size(); ++j) put(out, n++, order_b[j], b.self[j]);
  out.depth.resize(n);
  out.label.resize(n);
  out.self.resize(n);
  out.labels = std::move(joint.labels);
  return out;
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
  for (const SortedTree& tree : waiting_) bytes += tree.memory_bytes();
  if (charge_.bytes() != 0) return charge_.resize(bytes);
  HEARTH_ASSIGN_OR_RETURN(charge_, memory_->charge(bytes, "a merged tree"));
  return {};
}

Status TreeMerger::merge_last_two() {
  const SortedTree& a = waiting_[waiting_.size() - 2];
  const SortedTree& b = waiting_.back();
  HEARTH_RETURN_IF_ERROR(charge(a.memory_bytes() + b.memory_bytes()));
  SortedTree both = merge_sorted(a, b);
  waiting_.pop_back();
  waiting_.back() = std::move(both);
  return charge(0);
}

Status TreeMerger::add(SortedTree tree) {
  waiting_.push_back(std::move(tree));
  HEARTH_RETURN_IF_ERROR(charge(0));
  while (waiting_.size() > 1 && waiting_[waiting_.size() - 2].size() < 2 * waiting_.back().size())
    HEARTH_RETURN_IF_ERROR(merge_last_two());
  return {};
}

Status TreeMerger::add(TreeMerger&& other) {
  for (auto& owner : other.owners_) hold(std::move(owner));
  // Smallest first: each meets trees of its size.
  while (!other.waiting_.empty()) {
    SortedTree tree = std::move(other.waiting_.back());
    other.waiting_.pop_back();
    HEARTH_RETURN_IF_ERROR(add(std::move(tree)));
  }
  return {};
}

Result<FunctionTree> TreeMerger::finish() {
  while (waiting_.size() > 1) HEARTH_RETURN_IF_ERROR(merge_last_two());
  if (waiting_.empty()) return empty_function_tree();
  // Two more columns, and the numbers of the parents.
  HEARTH_RETURN_IF_ERROR(charge(waiting_.back().size() * (2 * sizeof(uint32_t) + sizeof(int64_t))));
  return to_function_tree(std::move(waiting_.back()));
}

Result<FunctionTree> merge_all(std::vector<TreeMerger> mergers) {
  for (size_t i = 1; i < mergers.size(); ++i)
    HEARTH_RETURN_IF_ERROR(mergers[0].add(std::move(mergers[i])));
  return mergers[0].finish();
}

}  // namespace hearth::query
