#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace hearth::formats {

/// The samples of a profile with one value each, as a tree of their stacks: what stacks have in
/// common on the root's side is there once.
///
/// Shape:  columns of equal length in preorder; node 0 is the root, of depth 0, without a location.
///         `location` indexes the locations of the batch that goes with it. `value` is that of the
///         stack that ends at the node, 0 when none does; value[0] is that of stacks without
///         frames.
struct StackTree {
  std::vector<uint32_t> depth{0}, location{0};
  std::vector<int64_t> value{0};

  [[nodiscard]] size_t size() const { return depth.size(); }
  void append(uint32_t its_depth, uint32_t its_location, int64_t its_value) {
    depth.push_back(its_depth);
    location.push_back(its_location);
    value.push_back(its_value);
  }
  /// True when no stack has a value.
  [[nodiscard]] bool empty() const;
};

/// Calls visit(stack, value) for every stack with a value: its locations, the leaf first.
template <class Visit>
void for_each_stack(const StackTree& tree, Visit visit) {
  std::vector<uint32_t> path;  // The root first.
  std::vector<uint32_t> stack;
  for (size_t i = 0; i < tree.size(); ++i) {
    if (i > 0) {
      path.resize(tree.depth[i] - 1);
      path.push_back(tree.location[i]);
    }
    if (tree.value[i] == 0) continue;
    stack.assign(path.rbegin(), path.rend());
    visit(std::span<const uint32_t>(stack), tree.value[i]);
  }
}

/// Stacks, the root first → value.
StackTree stack_tree(const std::map<std::vector<uint32_t>, int64_t>& stacks);

}  // namespace hearth::formats
