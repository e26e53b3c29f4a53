#include <algorithm>

#include "api/page.h"
#include "api/page_tree_codec.h"
#include "query/page_queries.h"

namespace hearth::api {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool contains_ignoring_case(std::string_view text, std::string_view part) {
  return !std::ranges::search(text, part, {}, lower, lower).empty() || part.empty();
}

void write_strings(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

// A matcher for the type, where a call reads labels of all types otherwise.
Result<Selector> with_type(Selector selector, const std::optional<ProfileType>& type) {
  if (!type) return selector;
  HEARTH_ASSIGN_OR_RETURN(Matcher matcher, Matcher::make(std::string(label::kProfileType),
                                                         Matcher::Op::equal, type->id()));
  selector.add(std::move(matcher));
  return selector;
}

void write_service(JsonWriter& json, const query::ServiceRow& row, bool detail) {
  json.begin_object().field("name", row.name);
  write_strings(json, "types", row.types);
  json.field("series", row.series).field("last_seen", row.last_seen_ns / 1'000'000);
  json.key("total");
  write_optional(json, row.total);
  json.key("previous");
  write_optional(json, row.previous);
  json.key("profiles");
  if (detail && row.total) {
    json.value(row.profiles);
  } else {
    json.null();
  }
  write_points(json, "spark", row.spark);
  json.key("top").begin_array();
  for (const auto& function : row.top) {
    json.begin_object().field("name", function.name).field("self", function.self).end_object();
  }
  json.end_array().end_object();
}

Result<net::Response> services(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  query::ServicesQuery query;
  query.tenant = params.tenant();
  HEARTH_ASSIGN_OR_RETURN(query.range, params.range());
  HEARTH_ASSIGN_OR_RETURN(query.type, params.type());
  HEARTH_ASSIGN_OR_RETURN(const int64_t detail, params.integer("detail", 0, 0, 1));
  HEARTH_ASSIGN_OR_RETURN(const int64_t buckets, params.integer("buckets", 30, 1, 200));
  HEARTH_ASSIGN_OR_RETURN(const int64_t top, params.integer("top", 3, 0, 10));
  query.detail = detail == 1;
  query.buckets = static_cast<uint64_t>(buckets);
  query.top = static_cast<uint64_t>(top);
  HEARTH_ASSIGN_OR_RETURN(const query::Services found,
                          query::services(app.engine, query, params.cancel()));
  JsonWriter json;
  json.begin_object()
      .field("type", found.type ? found.type->id() : "")
      .field("unit", found.type ? found.type->sample.unit : "");
  json.field("empty", found.empty);
  write_strings(json, "types", found.types);
  json.key("services").begin_array();
  for (const query::ServiceRow& row : found.rows) write_service(json, row, query.detail);
  json.end_array().key("cost").raw(cost_json(found.cost, timer.ms())).end_object();
  return page_json(json);
}

Result<net::Response> labels(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  HEARTH_ASSIGN_OR_RETURN(const query::TimeRange range, params.range());
  HEARTH_ASSIGN_OR_RETURN(Selector selector, params.selector());
  HEARTH_ASSIGN_OR_RETURN(const auto type, params.type());
  HEARTH_ASSIGN_OR_RETURN(selector, with_type(std::move(selector), type));
  HEARTH_ASSIGN_OR_RETURN(
      const query::LabelCounts counts,
      query::label_counts(app.engine, params.tenant(), selector, range, params.cancel()));
  const bool one_service = !params.text("s").empty();
  JsonWriter json;
  json.begin_object().key("labels").begin_array();
  for (const query::LabelCount& label : counts.labels) {
    if (one_service && label.name == label::kServiceName) continue;
    json.begin_object().field("name", label.name).field("values", label.values).end_object();
  }
  json.end_array().key("cost").raw(cost_json(counts.cost, timer.ms())).end_object();
  return page_json(json);
}

/// Values of one label; without a profile type they have no totals.
struct Values {
  query::LabelShares shares;
  bool have_totals = false;
};
Result<Values> values_of(const App& app, PageParams& params, const std::string& name) {
  Values out;
  HEARTH_ASSIGN_OR_RETURN(const auto type, params.type());
  out.have_totals = type.has_value();
  if (type) {
    HEARTH_ASSIGN_OR_RETURN(const query::ProfileQuery query, params.profiles());
    HEARTH_ASSIGN_OR_RETURN(out.shares,
                            query::label_shares(app.engine, query, name, params.cancel()));
    return out;
  }
  HEARTH_ASSIGN_OR_RETURN(const query::TimeRange range, params.range());
  HEARTH_ASSIGN_OR_RETURN(const Selector selector, params.selector());
  HEARTH_ASSIGN_OR_RETURN(const auto names, app.engine.label_values(params.tenant(), selector, name,
                                                                    range, params.cancel()));
  for (const std::string& value : names) out.shares.values.push_back({value, 0});
  return out;
}

void write_value(JsonWriter& json, const query::LabelShare& value, const Values& all) {
  json.begin_object().field("value", value.value);
  if (all.have_totals) {
    const double share = all.shares.sum == 0 ? 0
                                             : static_cast<double>(value.total) /
                                                   static_cast<double>(all.shares.sum);
    json.field("total", value.total).field("share", share);
  } else {
    json.key("total").null().key("share").null();
  }
  json.end_object();
}

Result<net::Response> label_values(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  const std::string name = params.text("label");
  if (name.empty()) return params.bad("label", "read label: missing; want a label name");
  HEARTH_ASSIGN_OR_RETURN(const int64_t limit, params.integer("limit", 50, 1, 1000));
  HEARTH_ASSIGN_OR_RETURN(const Values all, values_of(app, params, name));
  const std::string part = params.text("q");
  JsonWriter json;
  json.begin_object().field("label", name).key("values").begin_array();
  int64_t matched = 0;
  for (const query::LabelShare& value : all.shares.values) {
    if (!contains_ignoring_case(value.value, part)) continue;
    if (++matched <= limit) write_value(json, value, all);
  }
  json.end_array().field("matched", matched).field("all", uint64_t{all.shares.values.size()});
  json.key("cost").raw(cost_json(all.shares.cost, timer.ms())).end_object();
  return page_json(json);
}

Result<net::Response> series(const App& app, PageParams& params) {
  const CallTimer timer(app.clock());
  query::PageSeriesQuery query;
  HEARTH_ASSIGN_OR_RETURN(query.profile, params.profiles());
  HEARTH_ASSIGN_OR_RETURN(query.step_ms, params.integer("step", 15'000, 1'000, INT64_MAX));
  HEARTH_ASSIGN_OR_RETURN(const int64_t groups, params.integer("gn", 7, 1, 50));
  query.groups = static_cast<uint64_t>(groups);
  query.group_by = params.text("g");
  auto found = query::page_series(app.engine, query, params.cancel());
  if (!found && found.error().code == ErrorCode::invalid_argument)
    return params.bad("step", found.error().message);
  if (!found) return tl::unexpected(std::move(found).error());
  JsonWriter json;
  json.begin_object()
      .field("unit", query.profile.type.sample.unit)
      .field("start", found->start_ms)
      .field("step", found->step_ms);
  write_points(json, "total", found->total);
  json.key("groups").begin_array();
  for (const auto& group : found->groups) {
    json.begin_object().field("value", group.value).field("sum", group.sum);
    write_points(json, "points", group.points);
    json.end_object();
  }
  json.end_array().key("other");
  if (found->other_groups == 0) {
    json.null();
  } else {
    json.begin_object().field("groups", found->other_groups).field("sum", found->other.sum);
    write_points(json, "points", found->other.points);
    json.end_object();
  }
  json.field("sum", found->sum).key("cost").raw(cost_json(found->cost, timer.ms())).end_object();
  return page_json(json);
}

}  // namespace

void add_page_list_routes(App& app, std::vector<net::Route>& routes) {
  routes.push_back(page_route(app, "services", services));
  routes.push_back(page_route(app, "labels", labels));
  routes.push_back(page_route(app, "label-values", label_values));
  routes.push_back(page_route(app, "series", series));
}

}  // namespace hearth::api
