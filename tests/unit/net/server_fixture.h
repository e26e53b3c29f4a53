#pragma once

#include <atomic>
#include <memory>
#include <semaphore>
#include <string>

#include "base/worker_pool.h"
#include "hearth/clock.h"
#include "net/http_server.h"
#include "support/catch.h"
#include "support/raw_client.h"

namespace hearth::test {

/// A server on a free port with routes that show what arrived:
/// GET /hello, POST /echo (body back), POST /small (cap 10 bytes), GET /big (compressible), GET
/// /inline (Pool::io), GET /slow (holds its worker until `release`, reports cancellation), GET
/// /later (answered by send_later), /throw, GET /bad-header, GET /args.
struct ServerFixture {
  explicit ServerFixture(net::HttpServer::Options changes = {}) { start(std::move(changes)); }

  std::atomic<int> handled = 0;
  std::atomic<bool> slow_saw_cancel = false;
  std::binary_semaphore slow_started{0};
  std::counting_semaphore<16> release{0};
  MemoryAccountant memory{64U << 20U};
  // One worker and a queue of one: the third request at a time finds the pool full.
  WorkerPool pool{{.name = "query", .threads = 1, .queue_max = 1}};
  WorkerPool ingest{{.name = "ingest", .threads = 1, .queue_max = 16}};
  std::mutex later_mutex;
  net::Response::Send send_later;  ///< Of the last request for /later; under later_mutex.
  std::binary_semaphore later_waits{0};
  std::unique_ptr<net::HttpServer> server;

  [[nodiscard]] uint16_t port() const { return server->port(); }

 private:
  net::Response text(std::string body) {
    ++handled;
    net::Response response;
    response.headers.add("Content-Type", "text/plain");
    response.body = std::move(body);
    return response;
  }
  net::Response slow(const net::Request& request) {
    slow_started.release();
    while (!release.try_acquire_for(std::chrono::milliseconds(1))) {
      if (request.cancel.check()) continue;
      slow_saw_cancel = true;
      break;
    }
    return text("slow");
  }
  net::Response later() {
    net::Response response = text("later");
    response.after = [this](net::Response::Send send) {
      const std::lock_guard lock(later_mutex);
      send_later = std::move(send);
      later_waits.release();
    };
    return response;
  }
  std::vector<net::Route> routes() {
    using net::Pool;
    using net::Request;
    std::vector<net::Route> table;
    const auto add = [&](std::string method, std::string path, Pool pool_of, size_t cap,
                         std::function<net::Response(Request&)> handler) {
      table.push_back({std::move(method), std::move(path), pool_of, cap, std::move(handler)});
    };
    add("GET", "/hello", Pool::ingest, 0, [this](Request&) { return text("hello"); });
    add("GET", "/inline", Pool::io, 0, [this](Request&) { return text("inline"); });
    add("POST", "/echo", Pool::ingest, 0, [this](Request& r) { return text(r.body); });
    add("POST", "/small", Pool::ingest, 10, [this](Request& r) { return text(r.body); });
    add("GET", "/big", Pool::ingest, 0,
        [this](Request&) { return text(std::string(100'000, 'x')); });
    add("GET", "/slow", Pool::query, 0, [this](Request& r) { return slow(r); });
    add("GET", "/later", Pool::ingest, 0, [this](Request&) { return later(); });
    add("GET", "/throw", Pool::ingest, 0,
        [](Request&) -> net::Response { throw std::runtime_error("broken handler"); });
    add("GET", "/bad-header", Pool::ingest, 0, [this](Request&) {
      net::Response response = text("");
      response.headers.add("X-Note", "one\r\nX-Injected: two");
      return response;
    });
    add("GET", "/args", Pool::ingest, 0, [this](Request& r) {
      std::string out = r.path;
      for (const auto& [key, value] : r.query) out += "|" + key + "=" + value;
      return text(out);
    });
    return table;
  }
  void start(net::HttpServer::Options options) {
    options.port = 0;
    options.clock = &system_clock();
    options.memory = &memory;
    options.ingest = &ingest;
    options.query = &pool;
    auto made = net::HttpServer::listen(std::move(options), routes());
    REQUIRE(made);
    server = std::move(*made);
    server->start();
  }
};

inline std::string get(std::string_view path, std::string_view fields = {}) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
}
inline std::string post(std::string_view path, std::string_view body,
                        std::string_view fields = {}) {
  return "POST " + std::string(path) +
         " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}
inline int status_of(std::string_view answer) {
  return answer.size() < 12 ? 0 : std::atoi(std::string(answer.substr(9, 3)).c_str());
}
inline std::string body_of(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}
inline bool has(const std::string& answer, std::string_view text) {
  return answer.find(text) != std::string::npos;
}

}  // namespace hearth::test
