#include "api/status.h"

#include <fmt/format.h>

#include "api/answers.h"
#include "api/json_writer.h"
#include "hearth/version.h"

namespace hearth::api {
namespace {

using net::Request;
using net::Response;

Response ready(const App& app) {
  const auto reason = not_ready_reason(app);
  // Alone it says what Pyroscope says.
  const Role role = app.context.role;
  const std::string of = role == Role::all ? "" : fmt::format(" (role {})", role_name(role));
  return reason ? text_response(503, *reason + of + "\n") : text_response(200, "ready" + of + "\n");
}

Response build_info() {
  JsonWriter json;
  json.begin_object().field("status", "success").key("data").begin_object();
  json.field("version", version())
      .field("revision", revision())
      .field("branch", "")
      .field("buildUser", "");
  json.field("buildDate", "").field("goVersion", "").end_object().end_object();
  return json_response(json.take());
}

void write_store(JsonWriter& json, const storage::StoreStats& stats) {
  json.key("store").begin_object();
  json.field("profiles_total", stats.profiles_total)
      .field("duplicates_total", stats.duplicates_total);
  json.field("head_profiles", stats.head_profiles).field("head_bytes", stats.head_bytes);
  json.field("head_dictionaries", stats.head_dictionaries)
      .field("dictionary_bytes", stats.dictionary_bytes);
  json.field("segments", stats.segments).field("segment_bytes", stats.segment_bytes);
  json.field("seals_total", stats.seals_total)
      .field("seal_failures_total", stats.seal_failures_total);
  json.end_object();
  json.key("compaction").begin_object();
  json.field("snapshot", stats.compaction.snapshot).field("running", stats.compaction.running);
  json.field("tombstones", stats.compaction.tombstones);
  json.key("levels").begin_array();
  for (const auto& level : stats.compaction.levels) {
    json.begin_object().field("segments", level.segments).field("bytes", level.bytes).end_object();
  }
  json.end_array().end_object();
}

void write_bucket(JsonWriter& json, const objstore::Bucket& bucket) {
  json.key("bucket").begin_object();
  json.field("location", bucket.location()).field("remote", bucket.remote());
  if (const auto found = bucket.guarantees()) {
    json.key("guarantees").begin_object();
    json.field("create_if_absent", found->create_if_absent)
        .field("fresh_reads", found->fresh_reads);
    json.field("fresh_lists", found->fresh_lists).field("ranges", found->ranges);
    json.field("removes", found->removes).end_object();
  }
  json.end_object();
}

Response status(const App& app) {
  JsonWriter json;
  json.begin_object().field("version", version()).field("revision", revision());
  const auto reason = not_ready_reason(app);
  json.field("ready", !reason.has_value()).field("reason", reason.value_or(""));
  json.field("role", role_name(app.context.role))
      .field("ack", app.context.ack)
      .field("tenancy", app.context.tenancy);
  json.field("started", app.context.started_wall_ns / 1'000'000).field("server_time", app.now_ms());
  json.key("memory").begin_object().field("used_bytes", uint64_t{app.memory.used()});
  json.field("limit_bytes", uint64_t{app.memory.limit()}).end_object();
  write_store(json, app.store.stats());
  if (app.context.db != nullptr) write_bucket(json, app.context.db->bucket());
  json.end_object();
  return json_response(json.take());
}

Response seal(App& app, const Request& request) {
  if (auto answer = admin_refused(app, request)) return std::move(*answer);
  const auto sealed = app.store.seal();
  if (!sealed) return plain_error(sealed.error());
  JsonWriter json;
  json.begin_object().field("sealed_profiles", *sealed).end_object();
  return json_response(json.take());
}

/// What is in the head is sealed first: "compacted" means all that was acknowledged before.
Response compact(App& app, const Request& request) {
  if (auto answer = admin_refused(app, request)) return std::move(*answer);
  const std::string_view force = request.has_param("force") ? request.param("force") : "false";
  if (force != "true" && force != "false") return plain_error(400, "force: want true or false");
  if (const auto sealed = app.store.seal(); !sealed) return plain_error(sealed.error());
  // Without the request's deadline: a day can take longer than a query may.
  const auto done = app.store.compact(force == "true", CancelToken());
  if (!done) return plain_error(done.error());
  JsonWriter json;
  json.begin_object().field("jobs", done->jobs).field("profiles", done->profiles);
  json.field("duplicates", done->duplicates).field("expired", done->expired);
  json.field("deleted", done->deleted);
  json.field("segments_in", done->segments_in).field("segments_out", done->segments_out);
  json.field("bytes_in", done->bytes_in).field("bytes_out", done->bytes_out);
  json.field("objects_removed", done->objects_removed).end_object();
  return json_response(json.take());
}

net::Route route(const char* method, const char* path, net::Pool pool,
                 std::function<Response(Request&)> handler) {
  return {.method = method,
          .path = path,
          .pool = pool,
          .body_max_bytes = 0,
          .handler = std::move(handler)};
}

}  // namespace

std::optional<std::string> not_ready_reason(const App& app) {
  if (app.context.draining) return "shutting down";
  if (!app.context.ready) return "starting";
  return app.store.not_ready_reason();
}

std::optional<Response> admin_refused(const App& app, const Request& request) {
  if (!app.context.loopback_only)
    return plain_error(403, "admin calls without a token are answered on loopback only");
  if (lacks_page_header(request))
    return plain_error(403, "a browser's admin call needs the header X-Hearth-UI: 1");
  return std::nullopt;
}

bool lacks_page_header(const Request& request) {
  const bool browser = request.headers.has("Origin") || request.headers.has("Sec-Fetch-Site") ||
                       request.headers.has("Sec-Fetch-Mode");
  return browser && request.headers.get("X-Hearth-UI") != "1";
}

void add_status_routes(App& app, std::vector<net::Route>& routes) {
  using enum net::Pool;
  routes.push_back(route("GET", "/ready", io, [&app](Request&) { return ready(app); }));
  routes.push_back(
      route("GET", "/healthz", io, [](Request&) { return text_response(200, "ok\n"); }));
  routes.push_back(route("GET", "/api/v1/status", query, [&app](Request&) { return status(app); }));
  routes.push_back(
      route("GET", "/api/v1/status/buildinfo", io, [](Request&) { return build_info(); }));
  routes.push_back(route("GET", "/api/v1/status/config", io,
                         [&app](Request&) { return text_response(200, app.context.config_text); }));
  routes.push_back(route("POST", "/api/v1/admin/seal", query,
                         [&app](Request& request) { return seal(app, request); }));
  routes.push_back(route("POST", "/api/v1/admin/compact", query,
                         [&app](Request& request) { return compact(app, request); }));
}

}  // namespace hearth::api
