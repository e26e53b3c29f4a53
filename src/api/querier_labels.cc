#include <algorithm>
#include <iterator>

#include "api/querier.h"
#include "api/query_params.h"

namespace hearth::api {
namespace {

using query::TimeRange;

constexpr int64_t kHourMs = 3'600'000;

/// The range and selector of a label call; nullopt when nothing can lie in the range.
struct Scope {
  TimeRange range;
  Selector selector;
};
template <class Request>
Result<std::optional<Scope>> scope_of(const Call& call, const Request& request) {
  const auto limits = call.app->pipeline.limits(call.tenant());
  HEARTH_ASSIGN_OR_RETURN(const auto range, query_range(limits, call.app->clock().wall_ns(),
                                                        request.start(), request.end()));
  if (!range) return std::nullopt;
  const std::vector<std::string> matchers(request.matchers().begin(), request.matchers().end());
  HEARTH_ASSIGN_OR_RETURN(Selector selector, all_of(matchers));
  return Scope{*range, std::move(selector)};
}

/// What `read` gives for every tenant of the call, sorted and unique.
template <class T, class Read>
Result<std::vector<T>> union_over_tenants(const Call& call, Read read) {
  std::vector<T> all;
  for (const Tenant& tenant : call.tenants) {
    HEARTH_ASSIGN_OR_RETURN(std::vector<T> some, read(tenant));
    std::move(some.begin(), some.end(), std::back_inserter(all));
  }
  std::ranges::sort(all);
  const auto repeated = std::ranges::unique(all);
  all.erase(repeated.begin(), repeated.end());
  return all;
}

Result<querier::v1::ProfileTypesResponse> profile_types(
    const Call& call, const querier::v1::ProfileTypesRequest& request) {
  int64_t start = request.start();
  int64_t end = request.end();
  if (start == 0 && end == 0) {  // An old health check of Grafana's sends no range.
    end = call.app->now_ms();
    start = end - kHourMs;
  }
  querier::v1::ProfileTypesResponse response;
  const auto limits = call.app->pipeline.limits(call.tenant());
  HEARTH_ASSIGN_OR_RETURN(const auto range,
                          query_range(limits, call.app->clock().wall_ns(), start, end));
  if (!range) return response;
  HEARTH_ASSIGN_OR_RETURN(std::vector<ProfileType> types,
                          union_over_tenants<ProfileType>(call, [&](const Tenant& tenant) {
                            return call.app->engine.profile_types(tenant, *range, call.cancel);
                          }));
  std::ranges::sort(types, {}, &ProfileType::id);
  for (const ProfileType& type : types) {
    auto* out = response.add_profile_types();
    out->set_id(type.id());
    out->set_name(type.name);
    out->set_sample_type(type.sample.type);
    out->set_sample_unit(type.sample.unit);
    out->set_period_type(type.period.type);
    out->set_period_unit(type.period.unit);
  }
  return response;
}

Result<types::v1::LabelNamesResponse> label_names(const Call& call,
                                                  const types::v1::LabelNamesRequest& request) {
  types::v1::LabelNamesResponse response;
  HEARTH_ASSIGN_OR_RETURN(const auto scope, scope_of(call, request));
  if (!scope) return response;
  HEARTH_ASSIGN_OR_RETURN(
      const auto names, union_over_tenants<std::string>(call, [&](const Tenant& tenant) {
        return call.app->engine.label_names(tenant, scope->selector, scope->range, call.cancel);
      }));
  for (const std::string& name : names) {
    if (call.utf8_label_names || is_legacy_label_name(name)) response.add_names(name);
  }
  return response;
}

Result<types::v1::LabelValuesResponse> label_values(const Call& call,
                                                    const types::v1::LabelValuesRequest& request) {
  types::v1::LabelValuesResponse response;
  HEARTH_ASSIGN_OR_RETURN(const auto scope, scope_of(call, request));
  if (!scope) return response;
  if (request.name().empty()) return fail(ErrorCode::invalid_argument, "name is required");
  HEARTH_ASSIGN_OR_RETURN(const auto values,
                          union_over_tenants<std::string>(call, [&](const Tenant& tenant) {
                            return call.app->engine.label_values(
                                tenant, scope->selector, request.name(), scope->range, call.cancel);
                          }));
  for (const std::string& value : values) response.add_names(value);
  return response;
}

LabelSet legacy_labels(const LabelSet& labels) {
  LabelSet out;
  for (const Label& label : labels.labels()) {
    if (is_legacy_label_name(label.name)) out.set(label.name, label.value);
  }
  return out;
}

Result<std::vector<LabelSet>> read_series(const Call& call, const Scope& scope,
                                          const std::vector<std::string>& names) {
  return union_over_tenants<LabelSet>(
      call, [&](const Tenant& tenant) -> Result<std::vector<LabelSet>> {
        HEARTH_ASSIGN_OR_RETURN(auto sets, call.app->engine.series(tenant, scope.selector, names,
                                                                   scope.range, call.cancel));
        if (!call.utf8_label_names) std::ranges::transform(sets, sets.begin(), legacy_labels);
        return sets;
      });
}

Result<querier::v1::SeriesResponse> series(const Call& call,
                                           const querier::v1::SeriesRequest& request) {
  querier::v1::SeriesResponse response;
  HEARTH_ASSIGN_OR_RETURN(const auto scope, scope_of(call, request));
  if (!scope) return response;
  const std::vector<std::string> names(request.label_names().begin(), request.label_names().end());
  HEARTH_ASSIGN_OR_RETURN(const std::vector<LabelSet> sets, read_series(call, *scope, names));
  for (const LabelSet& set : sets) {
    if (set.empty()) continue;
    auto* out = response.add_labels_set();
    for (const Label& label : set.labels()) {
      auto* pair = out->add_labels();
      pair->set_name(label.name);
      pair->set_value(label.value);
    }
  }
  return response;
}

Result<types::v1::GetProfileStatsResponse> profile_stats(const Call& call,
                                                         const types::v1::GetProfileStatsRequest&) {
  types::v1::GetProfileStatsResponse response;
  HEARTH_ASSIGN_OR_RETURN(const auto extent, call.app->engine.extent(call.tenant(), call.cancel));
  if (!extent) return response;
  response.set_data_ingested(true);
  response.set_oldest_profile_time(extent->start_ns / 1'000'000);
  response.set_newest_profile_time(extent->end_ns / 1'000'000);
  return response;
}

Result<querier::v1::AnalyzeQueryResponse> analyze_query(const Call&,
                                                        const querier::v1::AnalyzeQueryRequest&) {
  return querier::v1::AnalyzeQueryResponse();  // As the segment architecture answers.
}

}  // namespace

std::string querier_path(std::string_view method) {
  return "/querier.v1.QuerierService/" + std::string(method);
}

void add_label_routes(App& app, std::vector<net::Route>& routes) {
  using namespace querier::v1;
  using namespace types::v1;
  const auto add = [&]<class Request, class Response>(
                       std::string_view method, TenantRule tenants,
                       Result<Response> (*handler)(const Call&, const Request&)) {
    routes.push_back(unary_route<Request, Response>(app, querier_path(method), tenants, handler));
  };
  add("ProfileTypes", TenantRule::any_number, profile_types);
  add("LabelNames", TenantRule::any_number, label_names);
  add("LabelValues", TenantRule::any_number, label_values);
  add("Series", TenantRule::any_number, series);
  add("GetProfileStats", TenantRule::exactly_one, profile_stats);
  add("AnalyzeQuery", TenantRule::any_number, analyze_query);
}

}  // namespace hearth::api
