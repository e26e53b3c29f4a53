#include "net/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <span>

#include "net/answer.h"
#include "net/run_on.h"

namespace hearth::net {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using std::chrono::milliseconds;

constexpr auto kNever = std::chrono::steady_clock::time_point::max();
constexpr size_t kReadBytes = 4096;
constexpr size_t kBodyReadBytes = 64 * 1024;

// A head and a piece of body fit; Beast's own limits do not cover chunk extensions and trailers.
beast::flat_buffer new_buffer(size_t header_max_bytes) {
  return beast::flat_buffer(header_max_bytes + 2 * kBodyReadBytes);
}
constexpr size_t kLingerBytes = 64 * 1024;
constexpr milliseconds kLingerTime{1000};
/// After this time a peer must have moved at least 1 KiB for each second: a trickle of
/// bytes must not hold a slot.
constexpr milliseconds kRateGrace{10'000};

milliseconds time_for(uint64_t bytes) {
  return kRateGrace + milliseconds(static_cast<int64_t>(bytes / 1024 * 1000));
}

bool peer_closed(int fd) {
  char byte = 0;
  const ssize_t n = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

std::string address_of(const asio::ip::tcp::socket& socket) {
  boost::system::error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  return error ? "?" : endpoint.address().to_string();
}

}  // namespace

Connection::Connection(ServerState& server, asio::ip::tcp::socket socket, bool spare)
    : server_(server),
      socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      buffer_(new_buffer(server.options.header_max_bytes)),
      peer_(address_of(socket_)),
      spare_(spare) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

asio::awaitable<void> Connection::run(std::shared_ptr<Connection> self) {
  while (true) {
    const bool again = co_await self->serve_one();
    if (!again) break;
  }
  if (self->unread_ && !self->lost_) {
    co_await self->linger();
  }
  boost::system::error_code ignored;
  self->socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  self->close();
  self->deadline_ = kNever;
  self->timer_.cancel();
}

void Connection::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

// A deadline that moves back costs nothing: the timer stays where it is and looks again when it
// fires. Nearly all do, as each request moves it several times and few ever pass.
void Connection::expire_at(Clock::time_point deadline) {
  deadline_ = deadline;
  if (deadline_ < armed_) arm_timer();
}

void Connection::arm_timer() {
  armed_ = deadline_;
  timer_.expires_at(armed_);
  timer_.async_wait([self = shared_from_this()](const beast::error_code& error) {
    if (error) return;  // Armed again for an earlier time, or the connection is over.
    self->armed_ = kNever;
    if (self->deadline_ == kNever) return;
    if (Clock::now() >= self->deadline_) {
      self->close();
    } else {
      self->arm_timer();
    }
  });
}

void Connection::start_drain() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->idle_) self->close();
  });
}

void Connection::abort() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->exchange_) self->exchange_->request.cancel.cancel();
    self->close();
  });
}

asio::awaitable<bool> Connection::serve_one() {
  const bool arrived = co_await read_head();
  if (!arrived) {
    lost_ = true;
    co_return false;
  }
  open_exchange();
  if (!exchange_->answered) {
    co_await read_body();
  }
  if (!exchange_->answered && !lost_) {
    co_await run_handler();
  }
  if (lost_) {
    co_return false;
  }
  const bool sent = co_await send_answer();
  const bool again = sent && !exchange_->close;
  unread_ = exchange_->unread;
  exchange_.reset();
  co_return again;
}

asio::awaitable<bool> Connection::read_head() {
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  idle_ = buffer_.size() == 0;
  if (idle_ && buffer_.capacity() > kBodyReadBytes / 2)
    buffer_ = new_buffer(server_.options.header_max_bytes);
  if (idle_ && server_.draining) co_return false;
  // One deadline for the whole head, however slowly its bytes drip.
  expire_at(Clock::now() + milliseconds(idle_ ? server_.options.idle_timeout_ms
                                              : server_.options.header_timeout_ms));
  const HeadLimits limits{server_.options.header_max_bytes, server_.options.target_max_bytes};
  verdict_ = {};
  while (true) {
    const size_t end = received().substr(0, limits.head_max_bytes + 4).find("\r\n\r\n");
    head_size_ = end == std::string_view::npos ? 0 : end + 4;
    verdict_ = head_size_ != 0 ? check_head(received().substr(0, head_size_), limits)
                               : check_partial_head(received(), limits);
    if (head_size_ != 0 || verdict_.status != 0) break;
    const auto space = buffer_.prepare(kReadBytes);
    const size_t n = co_await socket_.async_read_some(space, token);
    if (error) co_return false;
    buffer_.commit(n);
    if (idle_) expire_at(Clock::now() + milliseconds(server_.options.header_timeout_ms));
    idle_ = false;
  }
  idle_ = false;
  deadline_ = kNever;
  co_return true;
}

std::string_view Connection::received() const {
  return {static_cast<const char*>(buffer_.data().data()), buffer_.size()};
}

void Connection::open_exchange() {
  exchange_ = std::make_unique<Exchange>(server_, peer_);
  exchange_->open(received().substr(0, head_size_), verdict_, spare_);
  server_.bytes_in += head_size_;
  buffer_.consume(head_size_);
  ++served_;
  if (served_ >= server_.options.requests_per_connection_max || server_.draining) {
    exchange_->close = true;
  }
}

asio::awaitable<void> Connection::read_body() {
  const Exchange::Parser& parser = exchange_->parser;
  if (exchange_->expects_continue && !parser.is_done()) {
    const std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    const std::string_view nothing;
    const bool sent = co_await send_all(go_on, nothing);
    if (!sent) co_return;
  }
  if (parser.is_done()) {
    end_body({});
    co_return;
  }
  if (const auto length = parser.content_length()) {
    const size_t size = *length;
    const beast::error_code error = co_await read_sized_body(size);
    end_body(error);
    co_return;
  }
  const beast::error_code error = co_await read_chunked_body();
  end_body(error);
}

void Connection::end_body(const beast::error_code& error) {
  deadline_ = kNever;
  lost_ = !exchange_->finish_body(error);
}

// Received where it stays, without a parser between. What the body refuses, finish_body() sees.
asio::awaitable<beast::error_code> Connection::read_sized_body(size_t size) {
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  BodyBuffer& body = exchange_->parser.get().body();
  if (body.append(received().substr(0, size)) != BodyBuffer::Outcome::ok) co_return error;
  buffer_.consume(body.size());
  const auto start = Clock::now();
  const milliseconds longest(server_.options.body_timeout_ms);
  // Most often the rest is there already. One look only: other connections wait for this thread.
  if (body.size() < size) {
    const std::span<char> room = body.room(size - body.size());
    body.commit(socket_.read_some(asio::buffer(room.data(), room.size()), error));
    if (error == asio::error::would_block) error = {};
  }
  while (!error && body.size() < size) {
    const std::span<char> room = body.room(size - body.size());
    if (room.empty()) break;
    const auto space = asio::buffer(room.data(), room.size());
    expire_at(start + std::min(longest, time_for(body.size())));
    const size_t n = co_await socket_.async_read_some(space, token);
    body.commit(n);
  }
  server_.bytes_in += body.size();
  co_return error;
}

asio::awaitable<beast::error_code> Connection::read_chunked_body() {
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  Exchange::Parser& parser = exchange_->parser;
  buffer_.reserve(kBodyReadBytes);
  const auto start = Clock::now();
  const milliseconds longest(server_.options.body_timeout_ms);
  uint64_t body_bytes = 0;
  while (!error && !parser.is_done()) {
    expire_at(start + std::min(longest, time_for(body_bytes)));
    const size_t n = co_await beast::http::async_read_some(socket_, buffer_, parser, token);
    body_bytes += n;
  }
  server_.bytes_in += body_bytes;
  co_return error;
}

Executor* Connection::pool_of(Pool pool) const {
  if (pool == Pool::ingest) return server_.options.ingest;
  return pool == Pool::query ? server_.options.query : nullptr;
}

asio::awaitable<void> Connection::run_handler() {
  Exchange& exchange = *exchange_;
  Executor* const pool = pool_of(exchange.route->pool);
  const hearth::Clock& clock = *server_.options.clock;
  exchange.request.cancel =
      CancelToken(clock, clock.boot_ns() + server_.options.request_timeout_ms * 1'000'000);
  if (pool == nullptr) {
    exchange.run_handler([] {});
    co_return;
  }
  // A write is stored whether or not its client still waits: only queries are worth cancelling.
  const bool watched = exchange.route->pool == Pool::query;
  if (watched) watch_peer(exchange.request.cancel);
  LongWork work = [&exchange](std::function<void()> finished) {
    exchange.run_handler(std::move(finished));
  };
  const bool ran = co_await run_on(*pool, server_.hops, work);
  if (watched) stop_watching();
  if (!ran) exchange.refuse(503, "too many requests are waiting; try again");
}

void Connection::watch_peer(CancelToken token) {
  // Readable means a pipelined request or the end of the stream; only a look at the socket tells.
  socket_.async_wait(
      asio::ip::tcp::socket::wait_read,
      [self = shared_from_this(), token = std::move(token)](const beast::error_code& error) {
        if (!error && peer_closed(self->socket_.native_handle())) token.cancel();
      });
}

void Connection::stop_watching() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

asio::awaitable<bool> Connection::send_answer() {
  Exchange& exchange = *exchange_;
  if (server_.draining) exchange.close = true;
  const HeadOptions options{exchange.close, exchange.request.id, server_.options.clock->wall_ns()};
  const std::string head = encode_head(exchange.response, options);
  std::string_view body;
  if (exchange.request.method != "HEAD" && status_has_body(exchange.response.status)) {
    body = exchange.response.body;
  }
  const std::string_view head_view = head;
  const bool sent = co_await send_all(head_view, body);
  co_return sent;
}

asio::awaitable<bool> Connection::send_all(std::string_view head, std::string_view body) {
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  const auto start = Clock::now();
  std::array<asio::const_buffer, 2> buffers{asio::buffer(head.data(), head.size()),
                                            asio::buffer(body.data(), body.size())};
  // Most answers fit the socket's buffer at once.
  uint64_t sent = socket_.write_some(buffers, error);
  if (error == asio::error::would_block) error = {};
  while (!error && sent < head.size() + body.size()) {
    const size_t of_head = std::min<size_t>(sent, head.size());
    const size_t of_body = sent - of_head;
    buffers = {asio::buffer(head.data() + of_head, head.size() - of_head),
               asio::buffer(body.data() + of_body, body.size() - of_body)};
    expire_at(start + time_for(sent));
    const size_t n = co_await socket_.async_write_some(buffers, token);
    sent += n;
  }
  deadline_ = kNever;
  server_.bytes_out += sent;
  lost_ = lost_ || static_cast<bool>(error);
  co_return !error;
}

// Closing while the client still sends would reset the connection and could destroy our answer on
// its way: take a little of what comes, then close.
asio::awaitable<void> Connection::linger() {
  beast::error_code error;
  auto token = asio::redirect_error(asio::use_awaitable, error);
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  expire_at(Clock::now() + kLingerTime);
  size_t drained = buffer_.size();
  buffer_.clear();
  while (!error && drained < kLingerBytes && !server_.draining) {
    const auto space = buffer_.prepare(kReadBytes);
    const size_t n = co_await socket_.async_read_some(space, token);
    drained += n;
  }
}

}  // namespace hearth::net
