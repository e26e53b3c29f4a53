#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::query {

/// Exact call tree at function granularity: one node per path of function names, as columns.
///
/// Shape:  node 0 is the nameless root; nodes are in preorder with children sorted by name (bytewise), so parent[i] < i.
///         total[i] = self[i] + sum of the children's totals. Values in the unit of the sample type, saturating at int64.
///         `name[i]` indexes `names` (unique texts); names[0] = "". `place[i]`, for the page: see FunctionTable.
struct FunctionTree {
  std::vector<uint32_t> parent;
  std::vector<uint32_t> depth;  ///< Root 0.
  std::vector<uint32_t> name;
  std::vector<int64_t> self, total;
  std::vector<std::string> names;
  /// Value of samples without any frame: counted in series, not in trees.
  int64_t without_stack = 0;

  [[nodiscard]] size_t size() const { return parent.size(); }

  /// Smallest total that survives a cut to `max_nodes` (pyroscope-api.md 10.3): 0 = nothing is cut (max_nodes <= 0 or enough room);
  /// nodes with total >= threshold stay, so ties may exceed max_nodes.
  [[nodiscard]] int64_t threshold(int64_t max_nodes) const;
};

/// One function over the whole tree: exact self and total; recursion counted once per path (pprof's cumulative value).
/// File and package are the heaviest contributor's.
struct FunctionRow {
  uint32_t name = 0;  ///< Index into the tree's names.
  int64_t self = 0;
  int64_t total = 0;
};
/// All functions of a tree, by self descending, ties by name.
std::vector<FunctionRow> function_table(const FunctionTree& tree);

}  // namespace hearth::query
