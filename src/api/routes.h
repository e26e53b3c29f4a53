#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "db/database.h"
#include "net/http.h"
#include "net/http_server.h"

namespace hearth::api {

/// What handlers borrow; outlives the server.
struct Context {
  Database* db = nullptr;
  const Clock* clock = nullptr;
  bool tenancy = false;       ///< X-Scope-OrgID is demanded and obeyed.
  bool loopback_only = true;  ///< Admin routes exist without a token only while bound to loopback.
  Role role = Role::all;
  const char* ack = "local";  ///< What a 200 to a write promises: local (disk) or object.
  std::string listen_url;     ///< For onboarding texts and logs.
  std::string config_text;    ///< Effective configuration as `key: value` lines, secrets left out.
  int64_t started_wall_ns = 0;
  std::atomic<bool> ready = false;
  std::atomic<bool> draining = false;
  std::function<net::HttpServer::Stats()> server_stats;
};

/// All dialects: Pyroscope (ingest, push, querier, render), the page's private API, admin, metrics
/// and health.
std::vector<net::Route> make_routes(Context& context);
/// The server's own refusals in the error form of the dialect that the path belongs to.
net::Response render_error(const net::Request& request, int status, const std::string& message);
/// Checks on every request before routing (Accept syntax, Host of a loopback server).
std::unique_ptr<net::Response> gate(const Context& context, const net::Request& request);

}  // namespace hearth::api
