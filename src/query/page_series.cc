#include <fmt/format.h>

#include "base/saturate.h"
#include "query/group_sums.h"
#include "query/page_queries.h"

namespace hearth::query {
namespace {

int64_t floor_to(int64_t value, int64_t step) {
  const int64_t rest = value % step;
  return value - (rest < 0 ? rest + step : rest);
}

// Adds the points of a group to columns of one value per bucket.
void add_points(const GroupSums::Group& group, std::vector<std::optional<int64_t>>& column) {
  for (const GroupSums::Point& p : group.points) {
    auto& at = column[static_cast<size_t>(p.bucket)];
    at = add_saturating(at.value_or(0), p.sum);
  }
}

}  // namespace

Result<PageSeries> page_series(Engine& engine, const PageSeriesQuery& query,
                               const CancelToken& token) {
  PageSeries result;
  const int64_t step = query.step_ms;
  if (step < 1000)
    return fail(ErrorCode::invalid_argument,
                fmt::format("series: got a step of {} ms; want at least 1000", step));
  const int64_t first_ms = floor_ms(query.profile.range.start_ns);
  const int64_t last_ms = floor_ms(query.profile.range.end_ns);
  result.start_ms = floor_to(first_ms, step);
  result.step_ms = step;
  const int64_t buckets = last_ms < first_ms ? 0 : (last_ms - result.start_ms) / step + 1;
  if (buckets > kMaxBuckets) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("series: got {} steps; want at most {}", buckets, kMaxBuckets));
  }
  const std::vector<std::optional<int64_t>> nothing(static_cast<size_t>(buckets));
  result.total = nothing;
  std::vector<std::string> group_by;
  if (!query.group_by.empty()) group_by.push_back(query.group_by);
  GroupSums sums(engine.impl(), group_by,
                 [start = result.start_ms, step](int64_t ms) -> GroupSums::Bucket {
                   const int64_t i = (ms - start) / step;
                   return {i, add_saturating(start + i * step, step - 1)};
                 });
  HEARTH_RETURN_IF_ERROR(sums.add(query.profile, token, &result.cost));
  for (const GroupSums::Group& group : sums.finish()) {
    add_points(group, result.total);
    result.sum = add_saturating(result.sum, group.total);
    if (group_by.empty()) continue;
    const bool shown = result.groups.size() < query.groups;
    if (shown) result.groups.push_back({group.values[0], 0, nothing});
    if (!shown && result.other_groups++ == 0) result.other.points = nothing;
    PageSeries::Group& to = shown ? result.groups.back() : result.other;
    to.sum = add_saturating(to.sum, group.total);
    add_points(group, to.points);
  }
  return result;
}

}  // namespace hearth::query
