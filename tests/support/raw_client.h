#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace hearth::test {

/// A blocking TCP connection to 127.0.0.1 that sends exactly the bytes it is told to.
class RawClient {
 public:
  explicit RawClient(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawClient() { close(); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  /// False when the peer has reset the connection.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }
  /// One answer: head and as much body as Content-Length says. "" at the end of the stream.
  std::string read_answer(bool has_body = true) {
    size_t end = std::string::npos;
    while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
      if (!receive()) return take(received_.size());
    }
    end += 4;
    const size_t field = received_.find("Content-Length: ");
    size_t body = 0;
    if (has_body && field < end) body = std::strtoull(received_.c_str() + field + 16, nullptr, 10);
    while (received_.size() < end + body) {
      if (!receive()) break;
    }
    return take(end + body);
  }
  /// Everything until the server closes.
  std::string read_all() {
    while (receive()) {
    }
    return take(received_.size());
  }
  /// True as soon as something arrived or the server closed; false after `ms` of silence.
  [[nodiscard]] bool readable(int ms) const {
    pollfd waiting{fd_, POLLIN, 0};
    return !received_.empty() || ::poll(&waiting, 1, ms) == 1;
  }
  /// Waits until the server will send no more, without reading what it sent.
  [[nodiscard]] bool wait_for_end(int ms) const {
    pollfd waiting{fd_, POLLRDHUP, 0};
    return ::poll(&waiting, 1, ms) == 1;
  }
  /// True when the server has closed and nothing more arrived.
  bool at_end() { return received_.empty() && !receive(); }

 private:
  bool receive() {
    char chunk[16384];
    const ssize_t n = ::recv(fd_, chunk, sizeof chunk, 0);
    if (n <= 0) return false;
    received_.append(chunk, static_cast<size_t>(n));
    return true;
  }
  std::string take(size_t n) {
    std::string out = received_.substr(0, n);
    received_.erase(0, out.size());
    return out;
  }

  int fd_;
  bool connected_ = false;
  std::string received_;
};

}  // namespace hearth::test
