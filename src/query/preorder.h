#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace hearth::query {

inline constexpr uint32_t kNoNode = UINT32_MAX;

/// The canonical order of a tree: preorder, children ascending by the rank of their label.
///
/// Input:  parent[i] < i, node 0 is the root; rank[i] of node i is below `ranks`; siblings have
/// different ranks. Nodes with
///         keep[i] == 0 are left out (their children must be too); the root is always kept.
/// Result: position[i] = place of node i in the order, kNoNode when left out; `size` nodes are in
/// the order.
struct Preorder {
  std::vector<uint32_t> position;
  size_t size = 0;
};
Preorder canonical_preorder(std::span<const uint32_t> parent, std::span<const uint32_t> rank,
                            size_t ranks, std::span<const uint8_t> keep);

/// The depth of each node when the nodes stand in that order already, none left out; else empty.
std::vector<uint32_t> depths_of_preorder(std::span<const uint32_t> parent,
                                         std::span<const uint32_t> rank);

}  // namespace hearth::query
