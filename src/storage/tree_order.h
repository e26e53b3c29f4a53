#pragma once

#include <cstdint>
#include <span>
#include <vector>

// Order of a tree whose parents have smaller numbers than their children; node 0 is the root.
namespace hearth::storage {

/// Stable counting sort of `items` by key[item] < keys.
std::vector<uint32_t> counting_sort(std::span<const uint32_t> items, std::span<const uint32_t> key,
                                    size_t keys);

/// All nodes but the root by parent, siblings by rank.
std::vector<uint32_t> order_siblings(std::span<const uint32_t> parent,
                                     std::span<const uint32_t> rank);

/// Preorder number of every node. It is its parent's plus one plus the sizes of the subtrees of the
/// siblings before it, so no recursion is needed. `order` is that of order_siblings().
std::vector<uint32_t> preorder(std::span<const uint32_t> parent, std::span<const uint32_t> order);

}  // namespace hearth::storage
