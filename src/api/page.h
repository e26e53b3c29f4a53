#pragma once

#include <chrono>
#include <functional>
#include <string_view>
#include <vector>

#include "api/app.h"
#include "api/json_writer.h"
#include "api/page_params.h"

/// The page's private API, /api/ui/v1 (docs/ui_api.md), one file per group of calls.
namespace hearth::api {

/// about, waiting, rejections.
void add_page_info_routes(App& app, std::vector<net::Route>& routes);
/// services, labels, label-values, series.
void add_page_list_routes(App& app, std::vector<net::Route>& routes);
/// tree, sandwich, functions.
void add_page_tree_routes(App& app, std::vector<net::Route>& routes);

/// Time of one call, for `cost`.
class CallTimer {
 public:
  explicit CallTimer(const Clock& clock) : clock_(clock), begin_ns_(clock.boot_ns()) {}
  [[nodiscard]] double ms() const {
    return static_cast<double>(clock_.boot_ns() - begin_ns_) * 1e-6;
  }

 private:
  const Clock& clock_;
  int64_t begin_ns_;
};

using PageCall = Result<net::Response> (*)(const App&, PageParams&);
/// A call that reads, by GET or by POST with a JSON body. Errors take the page's form.
net::Route page_route(const App& app, std::string_view name, PageCall call);
net::Response page_json(JsonWriter& json);
void write_optional(JsonWriter& json, const std::optional<int64_t>& value);
void write_points(JsonWriter& json, std::string_view key,
                  const std::vector<std::optional<int64_t>>& points);

}  // namespace hearth::api
