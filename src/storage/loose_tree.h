#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <vector>

namespace hearth::storage {

/// Nodes by (parent, label), numbered as they come; 0 is the root. Parents come before their
/// children.
class LooseTree {
 public:
  explicit LooseTree(size_t nodes_expected) { nodes_.reserve(nodes_expected); }

  [[nodiscard]] uint32_t find_or_add(uint32_t parent, uint32_t label) {
    uint32_t last = kNone;
    uint32_t children = 0;
    uint32_t child = nodes_[parent].first_child;
    if (child == kMany) return find_among_many(parent, label);
    for (; child != kNone; child = nodes_[child].next_sibling, ++children) {
      if (nodes_[child].label == label) return child;
      last = child;
    }
    if (children == kListed) {
      move_to_many(parent);
      return find_among_many(parent, label);
    }
    const uint32_t added = add(parent, label);
    (last == kNone ? nodes_[parent].first_child : nodes_[last].next_sibling) = added;
    return added;
  }
  [[nodiscard]] size_t size() const { return nodes_.size(); }
  /// One entry per node; the root's are 0.
  [[nodiscard]] std::vector<uint32_t> parents() const { return column(&Node::parent); }
  [[nodiscard]] std::vector<uint32_t> labels() const { return column(&Node::label); }

 private:
  static constexpr uint32_t kNone = 0;  ///< The root is nobody's child.
  static constexpr uint32_t kMany = UINT32_MAX;
  /// Most nodes have one or two children, which mostly came one after the other: a walk of those
  /// stays in few cache lines. Of more they are found in a table, which bounds the walk.
  static constexpr uint32_t kListed = 8;
  struct Node {
    uint32_t parent = 0, label = 0, first_child = kNone, next_sibling = kNone;
  };

  static uint64_t key(uint32_t parent, uint32_t label) { return uint64_t{parent} << 32U | label; }

  uint32_t add(uint32_t parent, uint32_t label) {
    nodes_.push_back({parent, label, kNone, kNone});
    return static_cast<uint32_t>(nodes_.size() - 1);
  }
  void move_to_many(uint32_t parent) {
    for (uint32_t c = nodes_[parent].first_child; c != kNone; c = nodes_[c].next_sibling)
      many_.emplace(key(parent, nodes_[c].label), c);
    nodes_[parent].first_child = kMany;
  }
  uint32_t find_among_many(uint32_t parent, uint32_t label) {
    const auto [it, added] =
        many_.try_emplace(key(parent, label), static_cast<uint32_t>(nodes_.size()));
    if (added) add(parent, label);
    return it->second;
  }
  std::vector<uint32_t> column(uint32_t Node::* field) const {
    std::vector<uint32_t> out(nodes_.size());
    for (size_t i = 0; i < out.size(); ++i) out[i] = nodes_[i].*field;
    return out;
  }

  std::vector<Node> nodes_ = {Node{}};
  boost::unordered_flat_map<uint64_t, uint32_t> many_;  ///< Of nodes with more children.
};

}  // namespace hearth::storage
