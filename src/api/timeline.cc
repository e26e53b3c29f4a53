#include "api/timeline.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hearth::api {
namespace {

struct Rounding {
  double upto_s;   ///< Intervals up to this many seconds, inclusive,
  int64_t step_s;  ///< become this step.
};
constexpr std::array kRounding{Rounding{17.5, 15},
                               Rounding{25, 20},
                               Rounding{45, 30},
                               Rounding{90, 60},
                               Rounding{210, 120},
                               Rounding{450, 300},
                               Rounding{750, 600},
                               Rounding{1050, 900},
                               Rounding{1500, 1200},
                               Rounding{2700, 1800},
                               Rounding{5400, 3600},
                               Rounding{9000, 7200},
                               Rounding{16'200, 10'800},
                               Rounding{32'400, 21'600},
                               Rounding{86'400, 43'200},
                               Rounding{604'800, 86'400},
                               Rounding{1'814'400, 604'800}};
constexpr size_t kPointsMax = 100'000;  // A grid is never longer, whatever the range says.

int64_t floor_to(int64_t s, int64_t step) {
  return s - ((s % step) + step) % step;
}

uint64_t to_sample(double value) {
  if (!(value > 0)) return 0;
  return value >= 1.8e19 ? UINT64_MAX : static_cast<uint64_t>(value);
}

}  // namespace

int64_t timeline_step_s(int64_t start_ms, int64_t end_ms) {
  const double interval =
      (static_cast<double>(end_ms) - static_cast<double>(start_ms)) / 1000 / 1500;
  const auto row = std::ranges::find_if(
      kRounding, [interval](const Rounding& r) { return interval <= r.upto_s; });
  if (row != kRounding.end()) return row->step_s;
  return interval < 3'628'800 ? 2'592'000 : 31'536'000;
}

Timeline timeline(std::span<const query::Point> points, int64_t start_ms, int64_t end_ms,
                  int64_t step_s) {
  Timeline out;
  out.step_s = step_s;
  out.start_s = floor_to(start_ms / 1000, step_s);
  const int64_t end_s = floor_to(end_ms / 1000, step_s);
  if (end_s <= out.start_s) return out;
  out.samples.resize(std::min(static_cast<size_t>((end_s - out.start_s) / step_s), kPointsMax));
  for (const query::Point& point : points) {
    const int64_t offset_ms = point.time_ms - out.start_s * 1000;
    if (offset_ms < 0) continue;
    const auto at = static_cast<size_t>(offset_ms / (step_s * 1000));
    if (at < out.samples.size()) out.samples[at] = to_sample(point.value);
  }
  return out;
}

}  // namespace hearth::api
