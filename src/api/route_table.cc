#include "api/route_table.h"

#include <fmt/format.h>

#include "api/admin_delete.h"
#include "api/answers.h"
#include "api/ingest.h"
#include "api/metrics.h"
#include "api/page.h"
#include "api/push.h"
#include "api/querier.h"
#include "api/render.h"
#include "api/services.h"
#include "api/status.h"

namespace hearth::api {

namespace {

/// Answers in place of a route that stores: an agent that is set to the wrong process must notice.
void refuse_profiles(const App& app, net::Route& route) {
  route.pool = net::Pool::io;
  route.handler = [&app](const net::Request& request) {
    const Error error{
        ErrorCode::unimplemented,
        fmt::format("{}: this process has --role {} and takes no profiles; send them to one with "
                    "--role write or all",
                    request.path, role_name(app.context.role))};
    if (!request.path.starts_with("/push.")) return plain_error(404, error.message);
    net::Response response = connect_error(error);
    response.status = 404;
    return response;
  };
}

}  // namespace

std::vector<net::Route> app_routes(App& app) {
  std::vector<net::Route> routes;
  add_ingest_routes(app, routes);
  routes.push_back(push_route(app));
  if (!takes_profiles(app.context.role)) {
    for (net::Route& route : routes) refuse_profiles(app, route);
  }
  add_label_routes(app, routes);
  add_merge_routes(app, routes);
  add_series_routes(app, routes);
  add_settings_routes(app, routes);
  add_info_routes(app, routes);
  add_render_routes(app, routes);
  add_page_info_routes(app, routes);
  add_page_list_routes(app, routes);
  add_page_tree_routes(app, routes);
  add_status_routes(app, routes);
  add_deletion_routes(app, routes);
  routes.push_back(metrics_route(app));
  for (net::Route& route : routes) route = counted(app.route_stats, app.clock(), std::move(route));
  return routes;
}

}  // namespace hearth::api
