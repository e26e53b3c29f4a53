#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "server/config.h"

namespace hearth::server {

/// The whole program behind one port: database, pools, routes, page. `serve`, `demo` and `view`
/// start one.
class Server {
 public:
  /// Opens and recovers the database, binds the address and answers requests when it returns.
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(const Config& config);
  /// Stops at once what stop() has not stopped.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// "http://127.0.0.1:4040", with the port that was bound.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] Database& database();
  /// Readiness off, `shutdown-delay`, then running requests finish within `shutdown-timeout`. The
  /// head stays in RocksDB.
  void stop();

 private:
  Server();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `hearth serve`: prints `listening on URL` on standard output when requests are answered; runs
/// until SIGTERM or SIGINT. A second signal ends the process at once, which loses nothing that was
/// acknowledged. Returns the exit code: 0, or 1 when it could not start.
/// `hooks.started` runs once requests are answered, `hooks.stopping` before the server stops.
struct ServeHooks {
  std::function<void(Server&)> started = {};
  std::function<void()> stopping = {};
};
int serve(const Config& config, const ServeHooks& hooks = {});

/// `hearth serve --healthcheck`: asks the configured address for /ready. Returns the exit code.
int healthcheck(const Config& config);

}  // namespace hearth::server
