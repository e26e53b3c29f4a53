#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/function_tree.h"

namespace querier::v1 {
class FlameGraph;
}

namespace hearth::api {

/// Pyroscope's flame graph, as Grafana's panel reads it.
///
/// Shape:  levels[0] is one virtual node named `total`; each level is a flat list of quadruples (x
/// delta, total, self, name), left
///         to right; x delta = x − (x + total of the quadruple before it), name indexes `names`.
/// Views:  names point into the tree.
struct FlameGraph {
  std::vector<std::string_view> names;
  std::vector<std::vector<int64_t>> levels;
  int64_t total = 0;
  int64_t max_self = 0;
};

/// Children under `threshold` (FunctionTree::threshold) and leaves named `other` are folded into
/// one last sibling `other`, a leaf. A frame that is itself named `other` and calls something stays
/// apart.
FlameGraph flame_graph(const query::FunctionTree& tree, int64_t threshold);

/// protojson form: 64-bit integers as strings, zero members left out.
void append_proto_json(std::string& out, const FlameGraph& graph);
void to_proto(const FlameGraph& graph, querier::v1::FlameGraph& message);

/// The byte form of a tree that `format: TREE` asks for, cut before: per node varint name length,
/// name, varint self, varint child count; the last child is written next. A tree without samples is
/// no bytes.
std::string tree_bytes(const query::FunctionTree& tree);

/// For each node the index behind its last descendant: the children of i are i + 1, end[i + 1], …
/// while < end[i].
std::vector<uint32_t> subtree_ends(const query::FunctionTree& tree);

}  // namespace hearth::api
