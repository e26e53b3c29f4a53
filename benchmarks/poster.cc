#include "poster.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "need.h"

namespace hearth::bench {

Poster::Poster(uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    give_up("connect");
  // Head and body are two writes: without this the second waits for an acknowledgement.
  const int on = 1;
  ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Poster::~Poster() {
  ::close(fd_);
}

int Poster::post(const std::string& target, const std::string& body, size_t number) {
  const std::string head = "POST " + target + " HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: " +
                           std::to_string(number) +
                           "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  return send_all(head) && send_all(body) ? receive() : 0;
}

void Poster::must_post(const std::string& target, const std::string& body, size_t number) {
  if (post(target, body, number) != 200)
    give_up("POST " + target + ": " + answer_.substr(0, answer_.find("\r\n")));
}

std::string Poster::get(const std::string& target) {
  if (!send_all("GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n") || receive() != 200)
    give_up("GET " + target + ": " + answer_.substr(0, answer_.find("\r\n")));
  return answer_.substr(body_begin_);
}

bool Poster::send_all(std::string_view data) const {
  while (!data.empty()) {
    const ssize_t n = ::send(fd_, data.data(), data.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    data.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

int Poster::receive() {
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  answer_.clear();
  size_t want = std::string::npos;
  char piece[16384];
  while (answer_.size() < want) {
    const ssize_t n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return 0;
    answer_.append(piece, static_cast<size_t>(n));
    if (want != std::string::npos) continue;
    const size_t end = answer_.find("\r\n\r\n");
    if (end == std::string::npos) continue;
    const size_t length = answer_.find(kLength);
    body_begin_ = end + 4;
    want = body_begin_;
    if (length < end) want += std::strtoull(&answer_[length + kLength.size()], nullptr, 10);
  }
  if (!answer_.starts_with("HTTP/1.1 ")) give_up("answer: " + answer_.substr(0, 100));
  return std::atoi(&answer_[sizeof "HTTP/1.1 " - 1]);
}

}  // namespace hearth::bench
