#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace hearth {

/// Lets a limited number of threads through at a time; others sleep until one leaves. Thread-safe.
class ConcurrencyGate {
 public:
  explicit ConcurrencyGate(size_t limit) : free_(limit) {}

  void enter() {
    std::unique_lock lock(mutex_);
    left_.wait(lock, [this] { return free_ > 0; });
    --free_;
  }
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      ++free_;
    }
    left_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  size_t free_;
};

}  // namespace hearth
