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

// Writes nodes behind each other into columns that are large enough.
class Output {
 public:
  Output(SortedTree& tree, size_t nodes_max) : tree_(tree) {
    tree.depth.resize(nodes_max);
    tree.label.resize(nodes_max);
    tree.self.resize(nodes_max);
  }
  void put(uint32_t depth, uint32_t label, int64_t self) {
    tree_.depth[size_] = depth;
    tree_.label[size_] = label;
    tree_.self[size_++] = self;
  }
  void finish() {
    tree_.depth.resize(size_);
    tree_.label.resize(size_);
    tree_.self.resize(size_);
  }

 private:
  SortedTree& tree_;
  size_t size_ = 0;
};

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

// The node that lies deeper belongs to a subtree that the other tree has left already, so it comes
// first; nodes of one depth are siblings, and their labels decide.
SortedTree merge_sorted(const SortedTree& a, const SortedTree& b) {
  SortedTree out;
  JointLabels joint = join(a.labels, b.labels);
  Output to(out, a.size() + b.size() - 1);
  to.put(0, 0, add_saturating(a.self[0], b.self[0]));
  size_t i = 1;
  size_t j = 1;
  while (i < a.size() && j < b.size()) {
    const uint32_t label_a = joint.of_a[a.label[i]];
    const uint32_t label_b = joint.of_b[b.label[j]];
    if (a.depth[i] == b.depth[j] && label_a == label_b) {
      to.put(a.depth[i], label_a, add_saturating(a.self[i], b.self[j]));
      ++i;
      ++j;
    } else if (a.depth[i] > b.depth[j] || (a.depth[i] == b.depth[j] && label_a < label_b)) {
      do {
        to.put(a.depth[i], joint.of_a[a.label[i]], a.self[i]);
        ++i;
      } while (i < a.size() && a.depth[i] > b.depth[j]);
    } else {
      do {
        to.put(b.depth[j], joint.of_b[b.label[j]], b.self[j]);
        ++j;
      } while (j < b.size() && b.depth[j] > a.depth[i]);
    }
  }
  for (; i < a.size(); ++i) to.put(a.depth[i], joint.of_a[a.label[i]], a.self[i]);
  for (; j < b.size(); ++j) to.put(b.depth[j], joint.of_b[b.label[j]], b.self[j]);
  to.finish();
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
