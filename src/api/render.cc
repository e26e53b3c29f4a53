#include "api/render.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "api/answers.h"
#include "api/attime.h"
#include "api/flame_diff.h"
#include "api/flame_graph.h"
#include "api/json_writer.h"
#include "api/query_params.h"
#include "api/tenancy.h"
#include "api/timeline.h"

namespace hearth::api {
namespace {

using net::Request;
using net::Response;

/// `<profile type id>{selector}`: the metric name of the selector is the type.
struct TypedSelector {
  ProfileType type;
  Selector selector;
};
Result<TypedSelector> parse_query(std::string_view text) {
  if (text.empty()) return fail(ErrorCode::invalid_argument, "'query' parameter is required");
  HEARTH_ASSIGN_OR_RETURN(const Selector all, Selector::parse(text));
  const auto id = all.exact(label::kName);
  if (!id)
    return fail(ErrorCode::invalid_argument,
                "query \"" + std::string(text) + "\": want a profile type as metric name");
  TypedSelector out;
  HEARTH_ASSIGN_OR_RETURN(out.type, ProfileType::parse(*id));
  for (const Matcher& matcher : all.matchers()) {
    if (matcher.name() != label::kName) out.selector.add(matcher);
  }
  return out;
}

struct Range {
  int64_t start_ms = 0, end_ms = 0;
};
Range range_of(const App& app, std::string_view from, std::string_view until) {
  const int64_t now = app.clock().wall_ns();
  return {parse_attime(from, now) / 1'000'000, parse_attime(until, now) / 1'000'000};
}

// maxNodes wins over max-nodes; what is no number is ignored. 0: not said.
int64_t asked_nodes(const Request& request) {
  int64_t nodes = 0;
  for (const char* name : {"max-nodes", "maxNodes"}) {
    const std::string_view text = request.param(name);
    int64_t v = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size()) nodes = v;
  }
  return nodes;
}

std::vector<std::string> group_by_of(const Request& request) {
  std::vector<std::string> names;
  for (const auto& [name, value] : request.query) {
    if (name == "groupBy" && !value.empty()) names.push_back(value);
  }
  return names;
}

void write_levels(JsonWriter& json, const std::vector<std::vector<int64_t>>& levels) {
  json.key("levels").begin_array();
  for (const auto& level : levels) {
    json.begin_array();
    for (const int64_t v : level) json.value(v);
    json.end_array();
  }
  json.end_array();
}

void write_flamebearer(JsonWriter& json, const std::vector<std::string_view>& names,
                       const std::vector<std::vector<int64_t>>& levels, int64_t ticks,
                       int64_t max_self) {
  json.key("flamebearer").begin_object();
  json.key("names").begin_array();
  for (const std::string_view name : names) json.value(name);
  json.end_array();
  write_levels(json, levels);
  json.field("numTicks", ticks).field("maxSelf", max_self).end_object();
}

void write_metadata(JsonWriter& json, std::string_view format, const ProfileType& type) {
  const std::string& name = type.sample.type;
  const bool objects = name == "inuse_objects" || name == "alloc_objects" || name == "goroutine" ||
                       name == "samples";
  const std::string_view units = name == "cpu" ? "samples"
                                 : objects     ? "objects"
                                               : std::string_view(type.sample.unit);
  json.key("metadata").begin_object();
  json.field("format", format)
      .field("spyName", "")
      .field("sampleRate", name == "cpu" ? 1'000'000'000 : 100);
  json.field("units", units).field("name", name).end_object();
}

void write_timeline(JsonWriter& json, const Timeline& line) {
  json.begin_object().field("startTime", line.start_s).key("samples").begin_array();
  for (const uint64_t v : line.samples) json.value(v);
  json.end_array().field("durationDelta", line.step_s).key("watermarks").null().end_object();
}

/// The timeline of the whole query, and one per value of the first groupBy label when the caller
/// groups.
void write_timelines(JsonWriter& json, const std::vector<query::TimeSeries>& series,
                     const std::vector<std::string>& group_by, const Range& range, int64_t step_s) {
  const auto line = [&](std::span<const query::Point> points) {
    return timeline(points, range.start_ms, range.end_ms, step_s);
  };
  json.key("timeline");
  write_timeline(json, series.size() == 1 ? line(series[0].points) : line({}));
  json.key("groups");
  if (group_by.empty()) {
    json.null();
    return;
  }
  json.begin_object();
  std::vector<std::string_view> written;
  for (const query::TimeSeries& one : series) {
    std::string_view value = one.labels.get(group_by.front());
    if (value.empty()) value = "*";
    if (std::ranges::find(written, value) != written.end()) continue;
    written.push_back(value);
    json.key(value);
    write_timeline(json, line(one.points));
  }
  json.end_object();
}

struct RenderSide {
  query::ProfileQuery profiles;
  Range range;
};
Result<std::optional<RenderSide>> render_side(const App& app, const Tenant& tenant,
                                              std::string_view text, Range range) {
  HEARTH_ASSIGN_OR_RETURN(TypedSelector typed, parse_query(text));
  HEARTH_ASSIGN_OR_RETURN(const auto limits_range,
                          query_range(app.pipeline.limits(tenant), app.clock().wall_ns(),
                                      range.start_ms, range.end_ms));
  if (!limits_range) return std::nullopt;
  RenderSide side;
  side.range = range;
  side.profiles.tenant = tenant;
  side.profiles.type = std::move(typed.type);
  side.profiles.selector = std::move(typed.selector);
  side.profiles.range = *limits_range;
  return side;
}

Result<query::FunctionTree> tree_of(const App& app, const std::optional<RenderSide>& side,
                                    const CancelToken& cancel) {
  if (!side) return query::empty_function_tree();
  HEARTH_ASSIGN_OR_RETURN(auto result, app.engine.merge_tree(side->profiles, cancel));
  return std::move(result.tree);
}

Result<std::string> render(const App& app, const Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Tenant tenant,
                          request_tenant(app.context, request.headers, TenantRule::any_number));
  const Range range = range_of(app, request.param("from"), request.param("until"));
  HEARTH_ASSIGN_OR_RETURN(const auto side, render_side(app, tenant, request.param("query"), range));
  HEARTH_ASSIGN_OR_RETURN(const int64_t budget,
                          node_budget(app.pipeline.limits(tenant), asked_nodes(request)));
  HEARTH_ASSIGN_OR_RETURN(const auto tree, tree_of(app, side, request.cancel));
  if (request.param("format") == "dot") {
    if (tree.size() <= 1) return std::string();
    return fail(ErrorCode::unimplemented, "format dot is not supported by this version");
  }
  HEARTH_ASSIGN_OR_RETURN(const TypedSelector typed, parse_query(request.param("query")));
  const std::vector<std::string> group_by = group_by_of(request);
  const int64_t step_s = timeline_step_s(range.start_ms, range.end_ms);
  query::Engine::SeriesResult series;
  if (side) {
    query::SeriesQuery lines{
        .profile = side->profiles, .step_ms = step_s * 1000, .group_by = group_by, .limit = 0};
    HEARTH_ASSIGN_OR_RETURN(series, app.engine.select_series(lines, request.cancel));
  }
  const FlameGraph graph = flame_graph(tree, tree.threshold(budget));
  JsonWriter json;
  json.begin_object().field("version", 1);
  write_flamebearer(json, graph.names, graph.levels, graph.total, graph.max_self);
  write_metadata(json, "single", typed.type);
  write_timelines(json, series.series, group_by, range, step_s);
  json.key("heatmap").null().end_object();
  return json.take();
}

Result<std::string> render_diff(const App& app, const Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Tenant tenant,
                          request_tenant(app.context, request.headers, TenantRule::any_number));
  HEARTH_ASSIGN_OR_RETURN(const TypedSelector left_query, parse_query(request.param("leftQuery")));
  HEARTH_ASSIGN_OR_RETURN(const TypedSelector right_query,
                          parse_query(request.param("rightQuery")));
  if (left_query.type != right_query.type)
    return fail(ErrorCode::invalid_argument, "profile types must match");
  HEARTH_ASSIGN_OR_RETURN(const auto left, render_side(app, tenant, request.param("leftQuery"),
                                                       range_of(app, request.param("leftFrom"),
                                                                request.param("leftUntil"))));
  HEARTH_ASSIGN_OR_RETURN(const auto right, render_side(app, tenant, request.param("rightQuery"),
                                                        range_of(app, request.param("rightFrom"),
                                                                 request.param("rightUntil"))));
  HEARTH_ASSIGN_OR_RETURN(const int64_t budget,
                          node_budget(app.pipeline.limits(tenant), asked_nodes(request)));
  HEARTH_ASSIGN_OR_RETURN(const auto left_tree, tree_of(app, left, request.cancel));
  HEARTH_ASSIGN_OR_RETURN(const auto right_tree, tree_of(app, right, request.cancel));
  const FlameDiff diff = flame_diff(left_tree, right_tree, budget);
  JsonWriter json;
  json.begin_object().field("version", 1);
  write_flamebearer(json, diff.names, diff.levels, diff.total(), diff.max_self);
  write_metadata(json, "double", left_query.type);
  json.key("timeline").null().key("groups").null().key("heatmap").null();
  if (diff.left_ticks != 0) json.field("leftTicks", diff.left_ticks);
  if (diff.right_ticks != 0) json.field("rightTicks", diff.right_ticks);
  json.end_object();
  return json.take();
}

// Only profile types, as upstream answers: older integrations list profile types here.
Result<std::string> label_values(const App& app, const Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Tenant tenant,
                          request_tenant(app.context, request.headers, TenantRule::any_number));
  if (request.param("label") != label::kName) {
    return fail(ErrorCode::invalid_argument,
                "missing time range in the query: only label=__name__ is answered here");
  }
  const int64_t now = app.clock().wall_ns();
  HEARTH_ASSIGN_OR_RETURN(
      const auto types,
      app.engine.profile_types(tenant, {now - 3'600'000'000'000, now}, request.cancel));
  std::vector<std::string> ids;
  for (const ProfileType& type : types) ids.push_back(type.id());
  std::ranges::sort(ids);
  JsonWriter json;
  json.begin_array();
  for (const std::string& id : ids) json.value(id);
  json.end_array();
  return json.take();
}

}  // namespace

void add_render_routes(App& app, std::vector<net::Route>& routes) {
  const auto add = [&](const char* path,
                       Result<std::string> (*answer)(const App&, const Request&)) {
    routes.push_back({.method = "",
                      .path = path,
                      .pool = net::Pool::query,
                      .body_max_bytes = 0,
                      .handler = [&app, answer](Request& request) {
                        if (request.method != "GET" && request.method != "HEAD")
                          return method_not_allowed("GET");
                        auto body = answer(app, request);
                        return body ? json_response(std::move(*body)) : plain_error(body.error());
                      }});
  };
  add("/pyroscope/render", render);
  add("/pyroscope/render-diff", render_diff);
  add("/pyroscope/label-values", label_values);
}

}  // namespace hearth::api
