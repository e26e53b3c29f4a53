#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/owned_symbols.h"

/// EDGE and TREE: the stack tree as preorder with, per node, the steps up from the node before it
/// and the index of its location among the successors of its parent's location
/// (docs/segment_format.md). A location is called from few places, so the indexes are small
/// numbers, mostly 0.
namespace hearth::storage {

/// Successor lists: location l is followed in the tree by target[begin[l]] … target[begin[l + 1] −
/// 1]. Shape: begin has locations + 1 entries, location 0 (the root) included.
struct Successors {
  std::vector<uint32_t> begin;
  std::vector<uint32_t> target;
};

/// The successor lists of a tree in any numbering whose parents come first, and the index
/// `rank[node]` of each node's location in the list of its parent's (rank[0] = 0). A list is sorted
/// by the number of nodes that use the edge, descending, ties by location. `locations` counts
/// location 0.
struct RankedEdges {
  Successors successors;
  std::vector<uint32_t> rank;
};
RankedEdges rank_edges(std::span<const uint32_t> parent, std::span<const uint32_t> location,
                       size_t locations);

/// vcol successor counts of location 0…n, svb targets.
void encode_edges(const Successors& successors, std::string& out);
[[nodiscard]] Status decode_edges(std::string_view raw, size_t locations, Successors& out);

/// vcol pops, vcol edge index. Precondition: nodes in preorder, children of one parent ascending in
/// the decoder's order. `too_large` for a tree that is too deep or has too many nodes.
[[nodiscard]] Status encode_tree(std::span<const uint32_t> parent, std::span<const uint32_t> rank,
                                 std::string& out);

/// What the children of a node ascend by: the index of their edge (TREE), or the location itself
/// (ROLL, whose order is that of flame graphs).
enum class ChildOrder : uint8_t { by_edge, by_location };

/// Fills parent and location for `nodes` nodes and the root.
[[nodiscard]] Status decode_tree(std::string_view raw, size_t nodes, const Successors& successors,
                                 ChildOrder order, std::vector<uint32_t>& parent,
                                 std::vector<uint32_t>& location);

}  // namespace hearth::storage
