#include "api/admin_delete.h"

#include <fmt/format.h>

#include <charconv>

#include "api/answers.h"
#include "api/json_writer.h"
#include "api/status.h"
#include "api/tenancy.h"
#include "base/saturate.h"
#include "storage/deletion_log.h"

namespace hearth::api {
namespace {

using net::Request;
using net::Response;
using storage::Deletion;

constexpr int64_t kMillisecond = 1'000'000;

/// Milliseconds since 1970 as nanoseconds. An empty one is no time: who means a variable that was
/// not set must not delete everything.
Result<int64_t> time_of(const Request& request, std::string_view name, int64_t fallback) {
  if (!request.has_param(name)) return fallback;
  const std::string_view text = request.param(name);
  int64_t ms = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ms);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: got \"{}\"; want milliseconds since 1970", name, text));
  }
  return multiply_saturating(ms, kMillisecond);
}

/// Elsewhere the header is passed over without tenancy; here that would delete what is not meant.
Result<Tenant> tenant_of(const App& app, const Request& request) {
  const std::string_view named = request.headers.get("X-Scope-OrgID");
  if (!app.context.tenancy && !named.empty() && named != Tenant::anonymous().id()) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("X-Scope-OrgID: got \"{}\", but this server has no tenants "
                            "(--auth.multitenancy-enabled): all profiles belong to \"{}\"",
                            named, Tenant::anonymous().id()));
  }
  return request_tenant(app.context, request.headers, TenantRule::exactly_one);
}

Result<Deletion> requested(const App& app, const Request& request) {
  HEARTH_ASSIGN_OR_RETURN(const Tenant tenant, tenant_of(app, request));
  if (!request.has_param("selector")) {
    return fail(ErrorCode::invalid_argument,
                "selector: it is missing; {} stands for all profiles of the tenant");
  }
  HEARTH_ASSIGN_OR_RETURN(const int64_t from, time_of(request, "from", INT64_MIN));
  HEARTH_ASSIGN_OR_RETURN(const int64_t until,
                          time_of(request, "until", app.context.clock->wall_ns()));
  // Exclusive for callers, as for queries that follow each other.
  return Deletion::make(tenant.id(), std::string(request.param("selector")), from,
                        subtract_saturating(until, 1));
}

void write_deletion(JsonWriter& json, const Deletion& deletion) {
  json.begin_object().field("id", deletion.id.uuid()).field("tenant", deletion.tenant);
  json.field("selector", deletion.selector_text);
  json.key("from");
  if (deletion.begin_ns == INT64_MIN) {
    json.null();
  } else {
    json.value(deletion.begin_ns / kMillisecond);
  }
  json.field("until", add_saturating(deletion.last_ns, 1) / kMillisecond);
  json.field("asked", deletion.asked_ns / kMillisecond).end_object();
}

Response unable() {
  return plain_error(501, "this process cannot delete profiles");
}

Response ask(App& app, const Request& request) {
  if (auto answer = admin_refused(app, request)) return std::move(*answer);
  storage::DeletionLog* const log = app.store.deletions();
  if (log == nullptr) return unable();
  auto wanted = requested(app, request);
  if (!wanted) return plain_error(wanted.error());
  const auto added = log->add(std::move(*wanted));
  if (!added) return plain_error(added.error());
  JsonWriter json;
  write_deletion(json, *added);
  return json_response(json.take());
}

Response withdraw(App& app, const Request& request) {
  if (auto answer = admin_refused(app, request)) return std::move(*answer);
  storage::DeletionLog* const log = app.store.deletions();
  if (log == nullptr) return unable();
  if (const Status done = log->withdraw(request.param("id")); !done)
    return plain_error(done.error());
  return json_response("{}");
}

Response list(App& app, const Request& request) {
  if (auto answer = admin_refused(app, request)) return std::move(*answer);
  storage::DeletionLog* const log = app.store.deletions();
  if (log == nullptr) return unable();
  JsonWriter json;
  json.begin_object().key("deletions").begin_array();
  for (const Deletion& deletion : *log->current()) write_deletion(json, deletion);
  json.end_array().end_object();
  return json_response(json.take());
}

}  // namespace

void add_deletion_routes(App& app, std::vector<net::Route>& routes) {
  const auto add = [&](const char* method, const char* path,
                       Response (*serve)(App&, const Request&)) {
    net::Route& route = routes.emplace_back();
    route.method = method;
    route.path = path;
    route.pool = net::Pool::query;
    route.body_max_bytes = 0;
    route.handler = [&app, serve](Request& request) { return serve(app, request); };
  };
  add("POST", "/api/v1/admin/delete", ask);
  add("POST", "/api/v1/admin/delete/withdraw", withdraw);
  add("GET", "/api/v1/admin/deletions", list);
}

}  // namespace hearth::api
