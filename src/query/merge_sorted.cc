#include <algorithm>
#include <memory>
#include <utility>

#include "base/hash.h"
#include "base/saturate.h"
#include "query/projection.h"
#include "query/sorted_tree.h"
#include "query/text_table.h"

namespace hearth::query {
namespace {

// The labels of all trees in one ascending list, and where those of each went.
struct JointLabels {
  std::vector<std::string_view> labels{std::string_view()};
  std::vector<std::vector<uint32_t>> number;  ///< By tree, by its own number.
};

JointLabels join(const std::vector<SortedTree>& trees) {
  JointLabels out;
  TextTable seen;
  const uint64_t seed = process_hash_seed();
  for (const SortedTree& tree : trees) {
    std::vector<uint32_t>& number = out.number.emplace_back();
    number.reserve(tree.labels.size());
    for (const std::string_view label : tree.labels)
      number.push_back(seen.intern(label, hash64(label, seed)));
  }
  const TextOrder order = order_texts(seen.texts());
  for (const uint32_t text : order.first) out.labels.push_back(seen.text(text));
  for (std::vector<uint32_t>& numbers : out.number) {
    for (uint32_t& number : numbers) number = order.number[number];
  }
  return out;
}

// Of two trees in canonical order, the node comes next whose number is smaller: one that lies
// deeper belongs to a subtree that the other tree has left already; nodes of one depth are
// siblings, and their labels decide.
struct Node {
  uint64_t order;
  int64_t self;
};

class Nodes {
 public:
  explicit Nodes(size_t room) : nodes_(std::make_unique_for_overwrite<Node[]>(room)) {}
  Nodes(const SortedTree& tree, const std::vector<uint32_t>& number) : Nodes(tree.size()) {
    for (; size_ < tree.size(); ++size_) {
      const uint64_t order = uint64_t{~tree.depth[size_]} << 32U | number[tree.label[size_]];
      nodes_[size_] = {order, tree.self[size_]};
    }
  }
  // Which of the two has the next node is as good as random, so nothing branches.
  Nodes(const Nodes& a, const Nodes& b) : Nodes(a.size_ + b.size_) {
    const Node* at_a = a.nodes_.get();
    const Node* at_b = b.nodes_.get();
    const Node* const end_a = at_a + a.size_;
    const Node* const end_b = at_b + b.size_;
    Node* to = nodes_.get();
    while (at_a < end_a && at_b < end_b) {
      const uint64_t order_a = at_a->order;
      const uint64_t order_b = at_b->order;
      const auto from_a = static_cast<int64_t>(order_a <= order_b);
      const auto from_b = static_cast<int64_t>(order_b <= order_a);
      // Masks, as the compiler makes jumps of conditions.
      *to++ = {std::min(order_a, order_b),
               add_saturating(at_a->self & -from_a, at_b->self & -from_b)};
      at_a += from_a;
      at_b += from_b;
    }
    to = std::copy(at_a, end_a, to);
    to = std::copy(at_b, end_b, to);
    size_ = static_cast<size_t>(to - nodes_.get());
  }

  [[nodiscard]] SortedTree tree() const {
    SortedTree out;
    out.depth.resize(size_);
    out.label.resize(size_);
    out.self.resize(size_);
    for (size_t n = 0; n < size_; ++n) {
      out.depth[n] = ~static_cast<uint32_t>(nodes_[n].order >> 32U);
      out.label[n] = static_cast<uint32_t>(nodes_[n].order);
      out.self[n] = nodes_[n].self;
    }
    return out;
  }

 private:
  std::unique_ptr<Node[]> nodes_;
  size_t size_ = 0;
};

}  // namespace

// In rounds, of which each leaves half as many: the smallest with each other first.
SortedTree merge_sorted(std::vector<SortedTree> trees) {
  if (trees.empty()) return {};
  if (trees.size() == 1) return std::move(trees[0]);
  std::ranges::stable_sort(trees, {}, &SortedTree::size);
  JointLabels joint = join(trees);
  std::vector<Nodes> nodes;
  nodes.reserve(trees.size());
  for (size_t t = 0; t < trees.size(); ++t) {
    nodes.emplace_back(trees[t], joint.number[t]);
    trees[t] = {};
  }
  while (nodes.size() > 1) {
    size_t left = 0;
    for (size_t t = 0; t < nodes.size(); t += 2, ++left)
      nodes[left] = t + 1 < nodes.size() ? Nodes(nodes[t], nodes[t + 1]) : std::move(nodes[t]);
    nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(left), nodes.end());
  }
  SortedTree out = nodes[0].tree();
  out.labels = std::move(joint.labels);
  return out;
}

}  // namespace hearth::query
