#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

namespace hearth::api {

/// One refused write, as the page shows it.
struct Rejection {
  int64_t at_ms = 0;
  int status = 0;
  std::string reason;  ///< Discard reason, such as malformed_profile; may be empty.
  std::string message;
  std::string path;
  std::string service;  ///< Empty when the request could not tell.
  uint64_t bytes = 0;   ///< Of the request's body.
};

/// The last refused writes, in memory only, and how many profiles came in since the start.
/// Thread-safe.
class WriteLog {
 public:
  static constexpr size_t kKept = 100;
  static constexpr size_t kMessageMax = 500;  ///< Longer messages are cut.

  void refuse(Rejection rejection);
  void accept(uint64_t profiles) { received_ += profiles; }
  /// Newest first.
  [[nodiscard]] std::vector<Rejection> rejections() const;
  [[nodiscard]] uint64_t received() const { return received_; }
  [[nodiscard]] uint64_t rejected() const { return rejected_; }

 private:
  mutable std::mutex mutex_;
  std::deque<Rejection> kept_;
  std::atomic<uint64_t> received_ = 0;
  std::atomic<uint64_t> rejected_ = 0;
};

}  // namespace hearth::api
