#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/memory_accountant.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "net/http.h"

namespace hearth::net {

/// HTTP/1.1 server on Beast: keep-alive, chunked bodies, Expect: 100-continue, gzip of answers,
/// limits, time-outs, drain. Coroutines stay inside; handlers are plain functions on the pool that
/// their route names. HTTP/2 and TLS come behind the same interface. A full pool answers 503 with
/// Retry-After; a handler that throws answers 500 and a log line.
class HttpServer {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    uint16_t port = 4040;  ///< 0 picks a free one.
    int io_threads = 1;
    size_t header_max_bytes = 16 * 1024;  ///< Over it 431.
    size_t target_max_bytes = 8 * 1024;   ///< Over it 414.
    size_t body_max_bytes = 64u << 20;    ///< Over it 413 before the body is read.
    size_t connections_max = 4096;
    size_t connections_per_address_max = 256;  ///< Of a public address; 0: no limit.
    int64_t header_timeout_ms = 10'000;        ///< Absolute, from the first byte of a request.
    int64_t body_timeout_ms = 120'000;
    int64_t idle_timeout_ms = 60'000;
    int64_t request_timeout_ms = 30'000;  ///< Deadline in Request::cancel.
    size_t requests_per_connection_max = 10'000;
    size_t compress_min_bytes = 1400;
    const Clock* clock = nullptr;
    MemoryAccountant* memory = nullptr;
    Executor* ingest = nullptr;
    Executor* query = nullptr;
    /// Renders the server's own refusals (404, 405, 413, 431, 503 …) in the error form of the
    /// route's dialect.
    std::function<Response(const Request&, int status, const std::string& message)> render_error =
        {};
    /// Runs before routing on every request (header checks, Host check); a response ends the
    /// request.
    std::function<std::unique_ptr<Response>(const Request&)> gate = {};
  };
  struct Stats {
    uint64_t requests = 0, connections_open = 0, connections_total = 0, refused_total = 0,
             bytes_in = 0, bytes_out = 0;
  };

  /// Binds and listens; requests are answered after start(). `unavailable` when the address is
  /// taken.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(Options options,
                                                                  std::vector<Route> routes);
  virtual ~HttpServer() = default;
  virtual void start() = 0;
  [[nodiscard]] virtual uint16_t port() const = 0;
  /// Stops accepting, lets running requests finish until `deadline_ms`, closes the rest. Blocks.
  /// Idempotent.
  virtual void drain(int64_t deadline_ms) = 0;
  [[nodiscard]] virtual Stats stats() const = 0;
};

}  // namespace hearth::net
