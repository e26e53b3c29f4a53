#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/preorder.h"

namespace hearth::query {

/// What Pyroscope's flame graphs call the sum of what was cut away.
inline constexpr std::string_view kOther = "other";

/// Exact call tree at function granularity: one node per path of function names, as columns.
///
/// Shape:  node 0 is the nameless root; nodes are in preorder with children sorted by name
/// (bytewise), so parent[i] < i.
///         total[i] = self[i] + sum of the children's totals. Values in the unit of the sample
///         type, saturating at int64. `name[i]` indexes `names`: unique texts, ascending bytewise,
///         names[0] = "". An empty tree has the root only.
/// Equal data gives equal columns, whatever the order in which datasets were merged.
struct FunctionTree {
  std::vector<uint32_t> parent;
  std::vector<uint32_t> depth;  ///< Root 0.
  std::vector<uint32_t> name;
  std::vector<int64_t> self, total;
  std::vector<std::string> names;
  /// Value of samples without any frame: counted in series, not in trees.
  int64_t without_stack = 0;

  [[nodiscard]] size_t size() const { return parent.size(); }

  /// Smallest total that survives a cut to `max_nodes` as Pyroscope cuts: 0 = nothing is cut
  /// (max_nodes <= 0 or enough room; the root is not counted); nodes with total >= threshold stay,
  /// so ties may exceed max_nodes.
  [[nodiscard]] int64_t threshold(int64_t max_nodes) const;

  /// The tree with every node below `threshold` folded into a child `other` of its nearest ancestor
  /// that stays: children named `other` stay and grow. A threshold <= 0 cuts nothing. Totals
  /// of the nodes that stay do not change.
  [[nodiscard]] FunctionTree cut(int64_t threshold) const;
};

/// The root only.
FunctionTree empty_function_tree();

/// A tree in any node order: what tree builders and cuts make first.
///
/// Shape:  parent[i] < i, node 0 the root; siblings have different names; names[0] = "", texts
/// unique, any order.
struct LooseTree {
  std::vector<uint32_t> parent, name;
  std::vector<int64_t> self;
  std::vector<std::string_view> names;
};
/// Gives the tree its names: those of `texts`, ascending and unique, that its `name` column, which
/// indexes them, uses. texts[0] = "".
void keep_used_names(FunctionTree& tree, const std::vector<std::string_view>& texts);

/// Brings a loose tree into canonical form and computes totals. Nodes whose total is 0 are left
/// out.
FunctionTree canonical_tree(LooseTree loose);

/// Only the stacks whose root-side frames are `call_site`, in order; the frames themselves stay.
/// The rest counts nothing.
FunctionTree below_call_site(FunctionTree tree, const std::vector<std::string>& call_site);

/// The node that `path` leads to from the root, by names; the root for an empty path, kNoNode when
/// there is none.
uint32_t find_path(const FunctionTree& tree, const std::vector<std::string>& path);
/// One past the last node of the subtree of `node`.
uint32_t subtree_end(const FunctionTree& tree, uint32_t node);

/// One function over the whole tree: exact self and total; recursion counted once per path (pprof's
/// cumulative value).
struct FunctionRow {
  uint32_t name = 0;  ///< Index into the tree's names.
  int64_t self = 0;
  int64_t total = 0;
};
/// All functions of a tree, by self descending, ties by name.
std::vector<FunctionRow> function_table(const FunctionTree& tree);

}  // namespace hearth::query
