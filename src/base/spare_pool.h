#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace hearth {

/// Working buffers kept for their next user. The one given back last goes out first, because its
/// memory is still in the caches: few sets of buffers then serve many threads that take turns.
/// Thread-safe.
template <class T>
class SparePool {
 public:
  /// `kept_max`: how many wait here at most; more are freed.
  explicit SparePool(size_t kept_max) : kept_max_(kept_max) { spare_.reserve(kept_max); }

  /// A used object as it was given back, or a new one.
  [[nodiscard]] std::unique_ptr<T> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!spare_.empty()) {
        std::unique_ptr<T> item = std::move(spare_.back());
        spare_.pop_back();
        return item;
      }
    }
    return std::make_unique<T>();
  }
  void give(std::unique_ptr<T> item) {
    const std::lock_guard lock(mutex_);
    if (spare_.size() < kept_max_) spare_.push_back(std::move(item));
  }

 private:
  const size_t kept_max_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<T>> spare_;
};

}  // namespace hearth
