#include "poster.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
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
  // A body of more than one piece does not wait for an acknowledgement.
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
  return send_all({head, body}) ? receive() : 0;
}

void Poster::must_post(const std::string& target, const std::string& body, size_t number) {
  if (post(target, body, number) != 200)
    give_up("POST " + target + ": " + answer_.substr(0, answer_.find("\r\n")));
}

std::string Poster::get(const std::string& target) {
  const std::string head = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  if (!send_all({head, {}}) || receive() != 200)
    give_up("GET " + target + ": " + answer_.substr(0, answer_.find("\r\n")));
  return answer_.substr(body_begin_);
}

bool Poster::send_all(std::array<std::string_view, 2> parts) const {
  while (!parts[0].empty() || !parts[1].empty()) {
    std::array<iovec, 2> pieces{};
    for (size_t i = 0; i < parts.size(); ++i)
      pieces[i] = {const_cast<char*>(parts[i].data()), parts[i].size()};
    msghdr message{};
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (n <= 0) return false;
    const size_t head = std::min(static_cast<size_t>(n), parts[0].size());
    parts[0].remove_prefix(head);
    parts[1].remove_prefix(static_cast<size_t>(n) - head);
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
