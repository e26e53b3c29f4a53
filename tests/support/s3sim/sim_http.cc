#include "support/s3sim/sim_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <stdexcept>

namespace hearth::test {
namespace {

constexpr size_t kReadBytes = 64U << 10U;

/// Bytes of one connection that were read and not used yet.
class Stream {
 public:
  explicit Stream(int socket) : socket_(socket) {}

  bool read_until(const std::string& mark, std::string& out) {
    size_t at = 0;
    while ((at = buffer_.find(mark)) == std::string::npos) {
      if (!fill()) return false;
    }
    out = take(at + mark.size());
    return true;
  }
  bool read_exactly(size_t n, std::string& out) {
    while (buffer_.size() < n) {
      if (!fill()) return false;
    }
    out = take(n);
    return true;
  }

 private:
  bool fill() {
    char bytes[kReadBytes];
    const ssize_t n = ::recv(socket_, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    buffer_.append(bytes, static_cast<size_t>(n));
    return true;
  }
  std::string take(size_t n) {
    std::string out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }

  int socket_;
  std::string buffer_;
};

void parse_head(const std::string& head, SimRequest& out) {
  const size_t method_end = head.find(' ');
  const size_t target_end = head.find(' ', method_end + 1);
  out.method = head.substr(0, method_end);
  out.target = head.substr(method_end + 1, target_end - method_end - 1);
  size_t at = head.find("\r\n") + 2;
  while (at < head.size()) {
    const size_t end = head.find("\r\n", at);
    const size_t colon = head.find(':', at);
    if (end == std::string::npos || colon == std::string::npos || colon > end) break;
    std::string name = head.substr(at, colon - at);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    const size_t value = head.find_first_not_of(' ', colon + 1);
    out.headers[name] = value < end ? head.substr(value, end - value) : "";
    at = end + 2;
  }
}

bool read_request(Stream& stream, SimRequest& out) {
  std::string head;
  if (!stream.read_until("\r\n\r\n", head)) return false;
  parse_head(head, out);
  const size_t length = std::strtoull(out.header("content-length").c_str(), nullptr, 10);
  return stream.read_exactly(length, out.body);
}

bool send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

void reset_on_close(int socket) {
  const linger now{1, 0};
  ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace

SimHttpServer::SimHttpServer(uint16_t port, Handler handler) : handler_(std::move(handler)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener_, 256) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("s3sim cannot listen");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::jthread([this] { accept_all(); });
}

SimHttpServer::~SimHttpServer() {
  stopping_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  ::close(listener_);
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  threads_.clear();
}

void SimHttpServer::accept_all() {
  while (!stopping_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) continue;
    const int yes = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    ++connections_;
    const std::lock_guard lock(mutex_);
    open_.insert(socket);
    threads_.emplace_back([this, socket] { serve(socket); });
  }
}

void SimHttpServer::serve(int socket) {
  Stream stream(socket);
  for (bool more = true; more && !stopping_;) {
    SimRequest request;
    more = read_request(stream, request) && answer(socket, request);
  }
  const std::lock_guard lock(mutex_);
  open_.erase(socket);
  ::close(socket);
}

// False: the connection ends.
bool SimHttpServer::answer(int socket, const SimRequest& request) {
  SimAnswer answer = handler_(request);
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(answer.delay_ms);
  while (!stopping_ && std::chrono::steady_clock::now() < until) {
    const auto left = until - std::chrono::steady_clock::now();
    std::this_thread::sleep_for(
        std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds(50)));
  }
  if (answer.reset) reset_on_close(socket);
  if (answer.no_answer) return false;
  std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " x\r\n";
  for (const auto& [name, value] : answer.headers) head += name + ": " + value + "\r\n";
  // No content and answers to HEAD carry the length but no bytes.
  if (answer.status != 204) {
    const bool given = std::ranges::any_of(
        answer.headers, [](const auto& field) { return field.first == "Content-Length"; });
    if (!given) head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
  }
  if (!send_all(socket, head + "\r\n")) return false;
  if (request.method == "HEAD" || answer.status == 204) return true;
  const size_t n = answer.cut_body ? answer.body.size() / 2 : answer.body.size();
  return send_all(socket, std::string_view(answer.body).substr(0, n)) && !answer.cut_body;
}

}  // namespace hearth::test
