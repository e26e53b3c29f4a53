#include "net/http_server.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "base/check.h"
#include "base/log.h"
#include "net/address_quota.h"
#include "net/connection.h"

namespace hearth::net {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using std::chrono::milliseconds;

/// Slots above the cap that only answer routes of Pool::io: probes and metrics work
/// when all others are taken.
constexpr size_t kSpareConnections = 16;
constexpr milliseconds kAcceptBackOff{50};

class Server final : public HttpServer {
 public:
  Server(Options options, std::vector<Route> routes);
  ~Server() override;
  Status bind();
  void start() override;
  [[nodiscard]] uint16_t port() const override { return port_; }
  void drain(int64_t deadline_ms) override;
  [[nodiscard]] Stats stats() const override;

 private:
  asio::awaitable<void> accept_loop();
  [[nodiscard]] asio::any_io_executor connection_executor();
  void admit(tcp::socket socket);
  void forget(const std::shared_ptr<Connection>& connection);
  [[nodiscard]] size_t open_connections() const;
  template <class Action>
  void for_each_connection(Action action);

  ServerState state_;
  asio::io_context io_{std::max(state_.options.io_threads, 1)};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  asio::strand<asio::io_context::executor_type> accept_strand_{io_.get_executor()};
  tcp::acceptor acceptor_{accept_strand_};
  uint16_t port_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable all_closed_;
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  AddressQuota quota_{state_.options.connections_per_address_max};
  bool accepting_ = false;
  std::vector<std::jthread> threads_;
};

Server::Server(Options options, std::vector<Route> routes)
    : state_{.options = std::move(options), .router = Router(std::move(routes))} {
  if (state_.options.clock == nullptr) state_.options.clock = &system_clock();
  HEARTH_CHECK(state_.options.ingest != nullptr && state_.options.query != nullptr,
               "an HTTP server needs its pools");
  // Ids of different runs must not collide in logs.
  state_.next_id = static_cast<uint64_t>(state_.options.clock->wall_ns());
}

Status Server::bind() {
  const Options& options = state_.options;
  boost::system::error_code error;
  tcp::resolver resolver(io_);
  const auto found =
      resolver.resolve(options.host, std::to_string(options.port),
                       tcp::resolver::passive | tcp::resolver::numeric_service, error);
  if (!error) {
    const tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
  }
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("listen on {}:{}: {}", options.host, options.port, error.message()));
  }
  port_ = acceptor_.local_endpoint().port();
  return {};
}

void Server::start() {
  accepting_ = true;
  asio::co_spawn(accept_strand_, accept_loop(), [this](const std::exception_ptr& failure) {
    if (failure) log::error("the accept loop failed");
    const std::lock_guard lock(mutex_);
    accepting_ = false;
    all_closed_.notify_all();
  });
  for (int i = 0; i < std::max(state_.options.io_threads, 1); ++i) {
    threads_.emplace_back([this] {
      pthread_setname_np(pthread_self(), "io");
      io_.run();
    });
  }
}

asio::awaitable<void> Server::accept_loop() {
  boost::system::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  asio::steady_timer pause(accept_strand_);
  while (!state_.draining) {
    error = {};
    if (open_connections() < state_.options.connections_max + kSpareConnections) {
      tcp::socket socket(connection_executor());
      co_await acceptor_.async_accept(socket, token);
      if (state_.draining) co_return;
      if (!error) {
        admit(std::move(socket));
        continue;
      }
      // Most likely out of file descriptors: those who wait stay in the kernel's queue.
      log::warn("accept failed", {{"error", error.message()}});
    }
    pause.expires_after(kAcceptBackOff);
    co_await pause.async_wait(token);
  }
}

// What runs on a single thread needs no strand to run one piece at a time.
asio::any_io_executor Server::connection_executor() {
  if (state_.options.io_threads <= 1) return io_.get_executor();
  return asio::make_strand(io_);
}

void Server::admit(tcp::socket socket) {
  boost::system::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  ++state_.connections_total;
  std::shared_ptr<Connection> connection;
  const asio::any_io_executor executor = socket.get_executor();
  {
    const std::lock_guard lock(mutex_);
    const bool spare = connections_.size() >= state_.options.connections_max;
    connection = std::make_shared<Connection>(state_, std::move(socket), spare);
    if (!quota_.try_take(connection->peer())) {
      // Closed without an answer: whoever floods does not read one.
      ++state_.refused_total;
      return;
    }
    connections_.insert(connection);
  }
  asio::co_spawn(executor, Connection::run(connection),
                 [this, connection](const std::exception_ptr& failure) {
                   if (failure) log::error("a connection failed");
                   forget(connection);
                 });
}

void Server::forget(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection);
  quota_.give_back(connection->peer());
  if (connections_.empty()) all_closed_.notify_all();
}

size_t Server::open_connections() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

template <class Action>
void Server::for_each_connection(Action action) {
  const std::lock_guard lock(mutex_);
  for (const auto& connection : connections_) action(*connection);
}

void Server::drain(int64_t deadline_ms) {
  state_.draining = true;
  asio::post(accept_strand_, [this] {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  });
  const auto closed = [this] { return connections_.empty() && !accepting_; };
  for_each_connection([](Connection& connection) { connection.start_drain(); });
  {
    std::unique_lock lock(mutex_);
    if (all_closed_.wait_for(lock, milliseconds(deadline_ms), closed)) return;
  }
  for_each_connection([](Connection& connection) { connection.abort(); });
}

Server::~Server() {
  if (!threads_.empty()) {
    drain(0);
    std::unique_lock lock(mutex_);
    // A handler that still runs holds on to its connection; its token is cancelled.
    all_closed_.wait(lock, [this] { return connections_.empty() && !accepting_; });
  }
  state_.hops->wait_for_none();
  work_.reset();
  io_.stop();
}

HttpServer::Stats Server::stats() const {
  return {.requests = state_.requests,
          .connections_open = open_connections(),
          .connections_total = state_.connections_total,
          .refused_total = state_.refused_total,
          .bytes_in = state_.bytes_in,
          .bytes_out = state_.bytes_out};
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::listen(Options options, std::vector<Route> routes) {
  auto server = std::make_unique<Server>(std::move(options), std::move(routes));
  HEARTH_RETURN_IF_ERROR(server->bind());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace hearth::net
