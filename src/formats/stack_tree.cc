#include "formats/stack_tree.h"

#include <algorithm>

namespace hearth::formats {

bool StackTree::empty() const {
  return std::ranges::all_of(value, [](int64_t v) { return v == 0; });
}

// Neighbours in the order of the map share the longest prefix there is.
StackTree stack_tree(const std::map<std::vector<uint32_t>, int64_t>& stacks) {
  StackTree tree;
  const std::vector<uint32_t> none;
  const std::vector<uint32_t>* previous = &none;
  for (const auto& [stack, value] : stacks) {
    size_t d = static_cast<size_t>(std::ranges::mismatch(*previous, stack).in2 - stack.begin());
    if (stack.empty()) tree.value[0] = value;
    for (; d < stack.size(); ++d) {
      const bool leaf = d + 1 == stack.size();
      tree.append(static_cast<uint32_t>(d + 1), stack[d], leaf ? value : 0);
    }
    previous = &stack;
  }
  return tree;
}

}  // namespace hearth::formats
