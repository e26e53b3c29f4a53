#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "query/engine.h"

namespace hearth::api {

/// The timeline of /pyroscope/render: sums per step, zero-filled.
struct Timeline {
  int64_t start_s = 0;  ///< Unix seconds, a multiple of the step.
  int64_t step_s = 15;
  std::vector<uint64_t> samples;
};

/// The step for a range, in seconds: about 1500 points, rounded to a length that people know, at
/// least 15.
int64_t timeline_step_s(int64_t start_ms, int64_t end_ms);

/// Points lie on the grid of SelectSeries with the same step; those outside [start, end) are left
/// out.
Timeline timeline(std::span<const query::Point> points, int64_t start_ms, int64_t end_ms,
                  int64_t step_s);

}  // namespace hearth::api
