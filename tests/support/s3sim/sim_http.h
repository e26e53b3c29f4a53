#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace hearth::test {

struct SimRequest {
  std::string method;
  std::string target;                          ///< As sent.
  std::map<std::string, std::string> headers;  ///< Names in lower case.
  std::string body;

  [[nodiscard]] std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

struct SimAnswer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
  int64_t delay_ms = 0;    ///< Before the first byte.
  bool no_answer = false;  ///< The connection is closed instead.
  bool cut_body = false;   ///< Half of the body, then the connection is closed.
  bool reset = false;      ///< With no_answer or cut_body: by RST.
};

/// A small HTTP/1.1 server on loopback with a thread per connection, which can misbehave on
/// purpose. For tests: it trusts its client's syntax.
class SimHttpServer {
 public:
  using Handler = std::function<SimAnswer(const SimRequest&)>;
  SimHttpServer(uint16_t port, Handler handler);
  ~SimHttpServer();
  SimHttpServer(const SimHttpServer&) = delete;
  SimHttpServer& operator=(const SimHttpServer&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  [[nodiscard]] uint64_t connections() const { return connections_; }

 private:
  void accept_all();
  void serve(int socket);
  bool answer(int socket, const SimRequest& request);

  const Handler handler_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> connections_ = 0;
  std::mutex mutex_;
  std::set<int> open_;
  std::vector<std::jthread> threads_;
  std::jthread acceptor_;
};

}  // namespace hearth::test
