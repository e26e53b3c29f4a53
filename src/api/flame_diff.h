#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "query/function_tree.h"

namespace querier::v1 {
class FlameGraphDiff;
}

namespace hearth::api {

/// Pyroscope's differential flame graph, as Grafana's panel reads it.
///
/// Shape:  as FlameGraph, but levels are flat lists of septuples (left x delta, left total, left
/// self, right x delta, right total,
///         right self, name); the two offsets are delta-encoded independently.
/// Views:  names point into the trees.
struct FlameDiff {
  std::vector<std::string_view> names;
  std::vector<std::vector<int64_t>> levels;
  int64_t left_ticks = 0;
  int64_t right_ticks = 0;
  int64_t max_self = 0;
  [[nodiscard]] int64_t total() const { return left_ticks + right_ticks; }
};

/// Aligns both trees by name. With max_nodes > 0 the larger total of each pair decides what is
/// folded into `other`; the root counts.
FlameDiff flame_diff(const query::FunctionTree& left, const query::FunctionTree& right,
                     int64_t max_nodes);

void to_proto(const FlameDiff& diff, querier::v1::FlameGraphDiff& message);

}  // namespace hearth::api
