#pragma once

#include <cstddef>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace hearth::bench {

/// A blocking keep-alive connection to a server on this machine. One thread's.
class Poster {
 public:
  explicit Poster(uint16_t port);
  ~Poster();
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  /// The status of the answer; 0 when the server closed the connection instead, which is of no use
  /// any more then. `number` becomes the idempotency key: the same bytes come again in later passes
  /// and are no retries.
  int post(const std::string& target, const std::string& body, size_t number);
  /// The same; anything but 200 ends the benchmark.
  void must_post(const std::string& target, const std::string& body, size_t number);
  /// The answer's body.
  std::string get(const std::string& target);

 private:
  /// False: the connection is closed.
  bool send_all(std::array<std::string_view, 2> parts) const;
  /// Reads an answer to the end that its Content-Length says into `answer_`. Its status, or 0.
  int receive();

  int fd_;
  std::string answer_;
  size_t body_begin_ = 0;
};

}  // namespace hearth::bench
