#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "api/querier.h"
#include "api/query_params.h"

namespace hearth::api {
namespace {

constexpr double kStepMaxMs = 1e15;  // Longer than any range; keeps the grid inside int64.

// Seconds to milliseconds, rounded down. A step that is no number is accepted and covers
// everything, as upstream accepts it.
Result<int64_t> step_ms(double seconds) {
  if (seconds < 0.001) return fail(ErrorCode::invalid_argument, "step must be >= 1ms");
  if (std::isnan(seconds)) return static_cast<int64_t>(kStepMaxMs);
  return static_cast<int64_t>(std::floor(std::min(seconds * 1000, kStepMaxMs)));
}

void add_labels(const query::TimeSeries& series, const std::vector<std::string>& group_by,
                types::v1::Series& out) {
  for (const std::string& name : group_by) {
    const std::string_view value = series.labels.get(name);
    if (value.empty()) continue;
    auto* label = out.add_labels();
    label->set_name(name);
    label->set_value(value.data(), value.size());
  }
}

Result<querier::v1::SelectSeriesResponse> select_series(
    const Call& call, const querier::v1::SelectSeriesRequest& request) {
  querier::v1::SelectSeriesResponse response;
  HEARTH_ASSIGN_OR_RETURN(auto profile,
                          profile_query(call, {request.profile_typeid(), request.label_selector(),
                                               request.start(), request.end()}));
  if (!profile) return response;
  query::SeriesQuery series_query;
  HEARTH_ASSIGN_OR_RETURN(series_query.step_ms, step_ms(request.step()));
  if (request.exemplar_type() == types::v1::EXEMPLAR_TYPE_SPAN) {
    return fail(ErrorCode::unimplemented, "span exemplars are not supported by this version");
  }
  series_query.profile = std::move(*profile);
  series_query.group_by.assign(request.group_by().begin(), request.group_by().end());
  series_query.limit = static_cast<uint64_t>(std::max<int64_t>(request.limit(), 0));
  HEARTH_ASSIGN_OR_RETURN(const auto result,
                          call.app->engine.select_series(series_query, call.cancel));
  for (const query::TimeSeries& series : result.series) {
    auto* out = response.add_series();
    add_labels(series, series_query.group_by, *out);
    for (const query::Point& point : series.points) {
      auto* p = out->add_points();
      p->set_value(point.value);
      p->set_timestamp(point.time_ms);
    }
  }
  return response;
}

Status check_heatmap(const querier::v1::SelectHeatmapRequest& request) {
  using namespace querier::v1;
  const auto bad = [](std::string message) {
    return fail(ErrorCode::invalid_argument, std::move(message));
  };
  if (request.start() >= request.end()) {
    return bad(fmt::format("start time must be before end time, got start={} end={}",
                           request.start(), request.end()));
  }
  if (request.limit() < 0) return bad(fmt::format("limit must be >= 0, got {}", request.limit()));
  if (request.query_type() == HEATMAP_QUERY_TYPE_UNSPECIFIED) return bad("query_type is required");
  const auto exemplars = request.exemplar_type();
  const bool none = exemplars == types::v1::EXEMPLAR_TYPE_UNSPECIFIED ||
                    exemplars == types::v1::EXEMPLAR_TYPE_NONE;
  const auto matching = request.query_type() == HEATMAP_QUERY_TYPE_SPAN
                            ? types::v1::EXEMPLAR_TYPE_SPAN
                            : types::v1::EXEMPLAR_TYPE_INDIVIDUAL;
  if (!none && exemplars != matching) return bad("exemplar_type must match query_type");
  return {};
}

// Checked as documented; an answer other than "no data" waits for the storage of spans and single
// profiles' values.
Result<querier::v1::SelectHeatmapResponse> select_heatmap(
    const Call& call, const querier::v1::SelectHeatmapRequest& request) {
  HEARTH_RETURN_IF_ERROR(check_heatmap(request));
  HEARTH_ASSIGN_OR_RETURN(auto profile,
                          profile_query(call, {request.profile_typeid(), request.label_selector(),
                                               request.start(), request.end()}));
  querier::v1::SelectHeatmapResponse response;
  if (!profile) return response;
  HEARTH_RETURN_IF_ERROR(step_ms(request.step()));
  query::SeriesQuery any{.profile = std::move(*profile),
                         .step_ms = request.end() - request.start(),
                         .group_by = {},
                         .limit = 0};
  HEARTH_ASSIGN_OR_RETURN(const auto found, call.app->engine.select_series(any, call.cancel));
  if (found.series.empty()) return response;
  return fail(ErrorCode::unimplemented, "heatmaps are not supported by this version");
}

}  // namespace

void add_series_routes(App& app, std::vector<net::Route>& routes) {
  using namespace querier::v1;
  routes.push_back(unary_route<SelectSeriesRequest, SelectSeriesResponse>(
      app, querier_path("SelectSeries"), TenantRule::any_number, select_series));
  routes.push_back(unary_route<SelectHeatmapRequest, SelectHeatmapResponse>(
      app, querier_path("SelectHeatmap"), TenantRule::any_number, select_heatmap));
}

}  // namespace hearth::api
