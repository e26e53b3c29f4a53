#include "api/routes.h"

#include "api/answers.h"
#include "api/app.h"
#include "api/error_table.h"
#include "api/route_table.h"

namespace hearth::api {
namespace {

bool is_connect_path(std::string_view path) {
  // A service is a dotted name; so is no other first component of a path.
  const size_t end = path.find('/', 1);
  return end != std::string_view::npos && path.substr(0, end).find(".v1") != std::string_view::npos;
}

ErrorCode code_for(int status) {
  switch (status) {
    case 404:
      return ErrorCode::not_found;
    case 413:
      return ErrorCode::too_large;
    case 429:
      return ErrorCode::resource_exhausted;
    case 503:
      return ErrorCode::unavailable;
    case 504:
      return ErrorCode::deadline_exceeded;
    case 500:
      return ErrorCode::internal;
    default:
      return ErrorCode::invalid_argument;
  }
}

}  // namespace

std::vector<net::Route> make_routes(Context& context) {
  Database& db = *context.db;
  // Handlers borrow the App; the last one that goes takes it along.
  const std::shared_ptr<App> app(
      new App{context, db.store(), db.pipeline(), db.engine(), db.memory()});
  std::vector<net::Route> routes = app_routes(*app);
  for (net::Route& route : routes) {
    route.handler = [app, inner = std::move(route.handler)](net::Request& request) {
      return inner(request);
    };
  }
  return routes;
}

net::Response render_error(const net::Request& request, int status, const std::string& message) {
  const Error error{code_for(status), message};
  if (is_connect_path(request.path) && status != 404 && status != 405) {
    // Before a handler runs a size limit is Connect's invalid_argument; anything else keeps the
    // server's status.
    net::Response response = connect_error(error);
    if (status != 413) response.status = status;
    return response;
  }
  if (request.path.starts_with("/api/ui/")) {
    net::Response response = ui_error(request, error);
    response.status = status;
    return response;
  }
  return plain_error(status, message);
}

}  // namespace hearth::api
