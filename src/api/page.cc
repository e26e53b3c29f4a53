#include "api/page.h"

#include "api/answers.h"

namespace hearth::api {

net::Route page_route(const App& app, std::string_view name, PageCall call) {
  net::Route route;
  route.path = "/api/ui/v1/" + std::string(name);
  route.pool = net::Pool::query;
  route.handler = [&app, call](net::Request& request) {
    if (request.method != "GET" && request.method != "POST") return method_not_allowed("GET, POST");
    PageParams params(app, request);
    Result<net::Response> response;
    if (auto status = params.read(); !status) {
      response = tl::unexpected(std::move(status).error());
    } else {
      response = call(app, params);
    }
    if (!response)
      return ui_error(request, response.error(), params.bad_field(), params.bad_column());
    response->headers.add("Cache-Control", "no-store");
    return std::move(*response);
  };
  return route;
}

net::Response page_json(JsonWriter& json) {
  net::Response response;
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.body = json.take();
  return response;
}

void write_optional(JsonWriter& json, const std::optional<int64_t>& value) {
  if (value) {
    json.value(*value);
  } else {
    json.null();
  }
}

void write_points(JsonWriter& json, std::string_view key,
                  const std::vector<std::optional<int64_t>>& points) {
  json.key(key).begin_array();
  for (const auto& point : points) write_optional(json, point);
  json.end_array();
}

}  // namespace hearth::api
