#pragma once

#include <vector>

#include "api/app.h"
#include "api/connect.h"
#include "querier.pb.h"

/// querier.v1.QuerierService (docs/http_api.md 3), one file per group of calls.
namespace hearth::api {

/// ProfileTypes, LabelNames, LabelValues, Series, GetProfileStats, AnalyzeQuery.
void add_label_routes(App& app, std::vector<net::Route>& routes);
/// SelectMergeStacktraces, SelectMergeSpanProfile, SelectMergeProfile, Diff.
void add_merge_routes(App& app, std::vector<net::Route>& routes);
/// SelectSeries, SelectHeatmap.
void add_series_routes(App& app, std::vector<net::Route>& routes);

/// Path of a method of the service.
std::string querier_path(std::string_view method);

/// What a Select* request selects, checked; nullopt when the range is too old to hold anything.
/// `unimplemented` when the call names several tenants: their profiles are not merged yet.
struct Selection {
  std::string_view type, selector;
  int64_t start_ms = 0, end_ms = 0;
};
[[nodiscard]] Result<std::optional<query::ProfileQuery>> profile_query(const Call& call,
                                                                       const Selection& selection);

}  // namespace hearth::api
