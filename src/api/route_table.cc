#include "api/route_table.h"

#include "api/ingest.h"
#include "api/metrics.h"
#include "api/page.h"
#include "api/push.h"
#include "api/querier.h"
#include "api/render.h"
#include "api/services.h"
#include "api/status.h"

namespace hearth::api {

std::vector<net::Route> app_routes(App& app) {
  std::vector<net::Route> routes;
  add_ingest_routes(app, routes);
  routes.push_back(push_route(app));
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
  routes.push_back(metrics_route(app));
  for (net::Route& route : routes) route = counted(app.route_stats, app.clock(), std::move(route));
  return routes;
}

}  // namespace hearth::api
