#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/exchange.h"
#include "net/head_check.h"
#include "net/hop_count.h"
#include "net/http_server.h"
#include "net/router.h"

namespace hearth::net {

/// What all connections of a server share.
struct ServerState {
  HttpServer::Options options;
  Router router;
  std::shared_ptr<HopCount> hops = std::make_shared<HopCount>();
  std::atomic<bool> draining = false;
  std::atomic<uint64_t> next_id = 0;
  std::atomic<uint64_t> requests = 0;
  std::atomic<uint64_t> connections_total = 0;
  std::atomic<uint64_t> refused_total = 0;
  std::atomic<uint64_t> bytes_in = 0;
  std::atomic<uint64_t> bytes_out = 0;
};

/// One client connection: reads a request, hops to the pool of its route, writes the answer, and
/// again. All its code runs on the executor of its socket, one piece at a time, but for the
/// handler, which runs on its pool while the coroutine sleeps.
///
/// `co_await` stands alone in its statement, with named arguments (GCC 12.2 miscompiles the rest,
/// docs/hacking.md).
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// `spare`: one of the slots above the connection cap, which answer only routes of Pool::io.
  Connection(ServerState& server, boost::asio::ip::tcp::socket socket, bool spare);

  /// Address of the client, without port.
  [[nodiscard]] const std::string& peer() const { return peer_; }
  /// Serves until the connection ends.
  static boost::asio::awaitable<void> run(std::shared_ptr<Connection> self);
  /// Ends the connection after the request it is serving; at once when it is idle. Any thread.
  void start_drain();
  /// Cancels the running request and closes the socket. Any thread.
  void abort();

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<bool> serve_one();
  boost::asio::awaitable<bool> read_head();
  boost::asio::awaitable<void> read_body();
  boost::asio::awaitable<boost::beast::error_code> read_sized_body(size_t size);
  boost::asio::awaitable<boost::beast::error_code> read_chunked_body();
  boost::asio::awaitable<void> run_handler();
  boost::asio::awaitable<bool> send_answer();
  boost::asio::awaitable<bool> send_all(std::string_view head, std::string_view body);
  boost::asio::awaitable<void> linger();

  void open_exchange();
  void end_body(const boost::beast::error_code& error);
  void expire_at(Clock::time_point deadline);
  void arm_timer();
  void close();
  void watch_peer(CancelToken token);
  void stop_watching();
  [[nodiscard]] std::string_view received() const;
  [[nodiscard]] Executor* pool_of(Pool pool) const;

  ServerState& server_;
  boost::asio::ip::tcp::socket socket_;
  boost::asio::steady_timer timer_;
  Clock::time_point deadline_ = Clock::time_point::max();  ///< The socket is closed then.
  Clock::time_point armed_ = Clock::time_point::max();     ///< When timer_ looks at deadline_.
  boost::beast::flat_buffer
      buffer_;  ///< Bounded: chunk extensions and trailers have no other limit.
  std::string peer_;
  const bool spare_;
  bool idle_ = true;
  bool lost_ = false;    ///< Reading or writing failed: nothing more can be sent.
  bool unread_ = false;  ///< The client may still be sending what was refused.
  size_t served_ = 0;
  size_t head_size_ = 0;
  HeadVerdict verdict_;
  std::unique_ptr<Exchange> exchange_;
};

}  // namespace hearth::net
