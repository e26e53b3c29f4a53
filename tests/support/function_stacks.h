#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "query/function_tree.h"

namespace hearth::test {

/// Value by frames, outermost first.
using Stacks = std::map<std::vector<std::string>, int64_t>;

/// What a tree says of each stack that has a value of its own; samples without a stack are left
/// out.
inline Stacks stacks_of(const query::FunctionTree& tree) {
  Stacks stacks;
  std::vector<std::vector<std::string>> path(tree.size());
  for (size_t i = 1; i < tree.size(); ++i) {
    path[i] = path[tree.parent[i]];
    path[i].push_back(tree.names[tree.name[i]]);
    if (tree.self[i] != 0) stacks[path[i]] = tree.self[i];
  }
  return stacks;
}

}  // namespace hearth::test
