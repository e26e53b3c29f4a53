#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/string_section.h"

namespace hearth::storage {

/// Which profiles of a dataset a rollup group sums: those of the series with `name=value`; all of
/// them when `name` is empty.
struct RollupGroup {
  std::string name, value;
  auto operator<=>(const RollupGroup&) const = default;
};

/// Section ROLL: the rows of all profiles of a dataset merged over its whole window, one value per
/// path of function names. Nothing is left out: for every path the value is the sum over the rows
/// of the group's profiles, saturating.
///
/// Shape:  the tree that a flame graph is made of. Node 0 is the root; nodes are in preorder with
///         children ascending by name, so parent[i] < i. `node_name[i]` indexes `names`, which
///         ascend bytewise, are unique, and begin with "" (the root's; functions
///         without a name have an entry of their own). Lines of a location are
///         expanded, the last line is the outermost; frames without lines count for their callers.
/// Groups: groups[0] is all series; then those asked for, ascending by (name, value).
/// Life:   owns everything; immutable, safe to share.
struct Rollup {
  StringColumn strings;                 ///< STR of the dataset: what `names` point into.
  std::vector<std::string_view> names;  ///< The names that nodes use.
  std::vector<uint32_t> node_parent, node_name;
  std::vector<RollupGroup> groups;
  int64_t period = 0;  ///< Of all profiles; 0 where they differ.
  /// Some sum does not fit 64 bits: it stands at the end of the range, and rows give a better
  /// answer only where they are added in another order.
  bool saturated = false;

  /// A value of one group: rows[g] holds them ascending by node.
  /// Shape:  values[t] is as long as node, for each sample type t.
  struct Rows {
    std::vector<uint32_t> node;
    std::vector<std::vector<int64_t>> values;
  };
  std::vector<Rows> rows;

  [[nodiscard]] size_t nodes() const { return node_parent.size(); }
  /// The index of the group of the series with `name=value`, or of all series for an empty name;
  /// groups.size() when there is none. A label without such a group needs rows.
  [[nodiscard]] size_t find_group(std::string_view name, std::string_view value) const;
  /// self[node] += value of sample type `type` of one group, saturating. self.size() == nodes();
  /// self[0] is the value of samples without a frame.
  void add(size_t group, size_t type, std::span<int64_t> self) const;
  [[nodiscard]] size_t memory_bytes() const;
};

}  // namespace hearth::storage
