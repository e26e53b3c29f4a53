#include "api/page.h"
#include "hearth/version.h"

namespace hearth::api {
namespace {

constexpr int64_t kFramesDefault = 100'000;
constexpr int64_t kFramesMax = 1'000'000;
constexpr int64_t kRowsMax = 100'000;
constexpr size_t kServicesShown = 100;

Result<net::Response> about(const App& app, PageParams&) {
  JsonWriter json;
  json.begin_object()
      .field("version", version())
      .field("commit", revision())
      .field("server_time", app.now_ms());
  json.field("started", app.context.started_wall_ns / 1'000'000)
      .field("tenancy", app.context.tenancy)
      .field("tokens", false);
  json.field("listen_url", app.context.listen_url);
  json.key("roles").begin_array().value("write").value("query").value("compact").end_array();
  json.key("limits")
      .begin_object()
      .field("frames_default", kFramesDefault)
      .field("frames_max", kFramesMax);
  json.field("rows_max", kRowsMax).end_object().end_object();
  return page_json(json);
}

Result<std::vector<std::string>> known_services(const App& app, const PageParams& params,
                                                query::TimeRange extent) {
  return app.engine.label_values(params.tenant(), Selector(), std::string(label::kServiceName),
                                 extent, params.cancel());
}

// Polled while the page waits for the first profile.
Result<net::Response> waiting(const App& app, PageParams& params) {
  HEARTH_ASSIGN_OR_RETURN(const auto extent, app.engine.extent(params.tenant(), params.cancel()));
  std::vector<std::string> services;
  if (extent) {
    HEARTH_ASSIGN_OR_RETURN(services, known_services(app, params, *extent));
    if (services.size() > kServicesShown) services.resize(kServicesShown);
  }
  JsonWriter json;
  json.begin_object().field("empty", !extent.has_value()).field("received", app.writes->received());
  json.field("rejected", app.writes->rejected()).key("services").begin_array();
  for (const std::string& service : services) json.value(service);
  json.end_array().field("server_time", app.now_ms()).end_object();
  return page_json(json);
}

Result<net::Response> rejections(const App& app, PageParams&) {
  JsonWriter json;
  json.begin_object().key("rejections").begin_array();
  for (const Rejection& r : app.writes->rejections()) {
    json.begin_object().field("at", r.at_ms).field("status", r.status).field("reason", r.reason);
    json.field("message", r.message)
        .field("path", r.path)
        .field("service", r.service)
        .field("bytes", r.bytes)
        .end_object();
  }
  json.end_array().end_object();
  return page_json(json);
}

}  // namespace

void add_page_info_routes(App& app, std::vector<net::Route>& routes) {
  routes.push_back(page_route(app, "about", about));
  routes.push_back(page_route(app, "waiting", waiting));
  routes.push_back(page_route(app, "rejections", rejections));
}

}  // namespace hearth::api
