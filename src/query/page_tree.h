#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/function_tree.h"

namespace hearth::query {

/// A tree that the page asks for, before the level of detail is chosen: a part of a function tree,
/// or one made from it.
///
/// Shape:  parent[i] < i, node 0 is the root; siblings have different names; `name` indexes the
/// names of the function tree that it
///         was made from. total[i] = self[i] + folded[i] + the totals of its children.
struct CallTree {
  std::vector<uint32_t> parent, name;
  std::vector<int64_t> self, total;
  std::vector<int64_t> folded;  ///< Value of children that were left out already, because they are
                                ///< too small to be shown.
  uint64_t frames = 0;  ///< Nodes there would be without leaving any out, the root included.
  [[nodiscard]] size_t size() const { return parent.size(); }
};

/// The least total of a frame that is sent: 1/4096 of the root's, at least 1 (docs/ui_api.md 2).
/// Narrower ones are not visible.
int64_t default_min(int64_t total);

/// The subtree of `node` of a tree, top down.
CallTree subtree(const FunctionTree& tree, uint32_t node);

/// Callers below callees: children of the root are the functions with self value, below them who
/// called them, with the values of the leaves. With a path, the node at its end (names from the
/// leaf) is the root. Frames below `min` (default_min() of the root when absent) are folded at
/// once: without that, the tree of callers is many times larger than the tree. nullopt when there
/// is no such path.
std::optional<CallTree> inverted(const FunctionTree& tree, const std::vector<std::string>& path,
                                 std::optional<int64_t> min);

/// A function seen from both sides, each stack counted at its outermost occurrence of the function,
/// so that recursion counts once and inner occurrences show among the callees.
struct Sandwich {
  CallTree callers;  ///< Root: the function; below it who calls it.
  CallTree callees;  ///< Root: the function; below it what it calls.
  int64_t total = 0;
  int64_t self = 0;        ///< Of all occurrences, as in the function table.
  uint64_t paths = 0;      ///< Different call paths that end in an outermost occurrence.
  bool recursive = false;  ///< Some stack holds the function more than once.
};
/// nullopt when no frame has that name. `min` folds callers at once, as in inverted().
std::optional<Sandwich> sandwich(const FunctionTree& tree, std::string_view function,
                                 std::optional<int64_t> min);

/// What is sent: frames of at least `min`, in preorder, children by total descending, then by name.
///
/// Shape:  columns of equal length; node 0 is the root. All children of a frame that are too small
/// are one node with folded[i] = 1:
///         the last child, name 0, no children, self = their value.
struct PageTree {
  std::vector<uint32_t> depth, name;
  std::vector<int64_t> self;
  std::vector<uint8_t> folded;
  uint64_t frames = 0;  ///< Of the whole tree.
  int64_t total = 0;    ///< Of node 0.
  int64_t min = 1;      ///< What was used.
  [[nodiscard]] size_t size() const { return depth.size(); }
};
struct DetailOptions {
  std::optional<int64_t> min;  ///< Default: see default_min().
  uint64_t cap = 100'000;  ///< `min` is raised until no more frames than this are left, folded ones
                           ///< not counted.
};
PageTree level_of_detail(const CallTree& tree, const DetailOptions& options);

}  // namespace hearth::query
