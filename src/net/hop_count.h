#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace hearth::net {

/// Tasks on worker pools that still refer to an io_context. Shared by those tasks and the server,
/// because the task that ends last may outlive the server by a few instructions. Thread-safe.
class HopCount {
 public:
  void begin() {
    const std::lock_guard lock(mutex_);
    ++running_;
  }
  void end() {
    const std::lock_guard lock(mutex_);
    if (--running_ == 0) none_.notify_all();
  }
  /// Blocks until every begin() has had its end().
  void wait_for_none() {
    std::unique_lock lock(mutex_);
    none_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  size_t running_ = 0;
};

}  // namespace hearth::net
