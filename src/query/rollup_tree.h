#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "query/engine_impl.h"
#include "query/sorted_tree.h"

namespace hearth::query {

/// A dataset's part of a query, out of its rollup.
struct RollupTree {
  SortedTree tree;
  std::shared_ptr<const void> owner;  ///< Of the texts of the tree's labels.
};

/// The tree of a dataset, or of several, from the rollup, or nullopt when that cannot be. A rollup
/// is what the rows say when all of these hold: every profile starts in the range; the selector
/// accepts either every series, or exactly those with one `name=value` that the rollup has a group
/// for; no sum of it was held at the end of the numbers. Adds to the cost.
[[nodiscard]] Result<std::optional<RollupTree>> rollup_tree(Engine::Impl& impl,
                                                            const storage::RollupSource& dataset,
                                                            const ProfileQuery& query, Cost* cost);

}  // namespace hearth::query
