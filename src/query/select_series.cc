#include <algorithm>

#include "base/saturate.h"
#include "query/group_sums.h"

namespace hearth::query {
namespace {

// Pyroscope's grid: a point at t holds what starts in (t - step, t]; the first
// point also takes everything before it, and what starts after the last point is left out.
struct RightClosedGrid {
  int64_t start_ms, step_ms, last;

  [[nodiscard]] GroupSums::Bucket bucket(int64_t ms) const {
    if (ms <= start_ms) return {0, start_ms};
    const int64_t i = (ms - start_ms - 1) / step_ms + 1;
    if (i > last) return {GroupSums::kNoBucket, INT64_MAX};
    return {i, time_ms(i)};
  }
  [[nodiscard]] int64_t time_ms(int64_t bucket) const { return start_ms + bucket * step_ms; }
};

TimeSeries to_series(const GroupSums::Group& group, const std::vector<std::string>& group_by,
                     const RightClosedGrid& grid) {
  TimeSeries series;
  for (size_t i = 0; i < group_by.size(); ++i) series.labels.set(group_by[i], group.values[i]);
  for (const GroupSums::Point& point : group.points) {
    series.points.push_back({grid.time_ms(point.bucket), static_cast<double>(point.sum)});
  }
  return series;
}

}  // namespace

Result<Engine::SeriesResult> Engine::select_series(const SeriesQuery& query,
                                                   const CancelToken& token) {
  if (query.step_ms < 1) return fail(ErrorCode::invalid_argument, "step must be >= 1ms");
  SeriesResult result;
  const TimeRange range = query.profile.range;
  if (range.start_ns > range.end_ns) return result;
  const int64_t start_ms = floor_ms(range.start_ns);
  const RightClosedGrid grid{start_ms, query.step_ms,
                             (floor_ms(range.end_ns) - start_ms) / query.step_ms};
  ProfileQuery scanned = query.profile;
  scanned.range.start_ns = subtract_saturating(range.start_ns, saturated_ns(query.step_ms));
  GroupSums sums(*impl_, query.group_by, [grid](int64_t ms) { return grid.bucket(ms); });
  HEARTH_RETURN_IF_ERROR(sums.add(scanned, token, &result.cost));
  std::vector<GroupSums::Group> groups = sums.finish();
  if (query.limit > 0 && groups.size() > query.limit) groups.resize(query.limit);
  for (const GroupSums::Group& group : groups)
    result.series.push_back(to_series(group, query.group_by, grid));
  return result;
}

}  // namespace hearth::query
