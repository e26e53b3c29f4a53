#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>

#include "base/result.h"

namespace hearth::storage {

/// Bytes that the datasets of one segment may keep decoded between queries. Thread-safe.
class CacheBudget {
 public:
  explicit CacheBudget(size_t bytes) : left_(bytes) {}
  /// False when there is not enough left; nothing is given back before the segment closes.
  bool take(size_t bytes) {
    size_t left = left_.load(std::memory_order_relaxed);
    while (left >= bytes) {
      if (left_.compare_exchange_weak(left, left - bytes, std::memory_order_relaxed)) return true;
    }
    return false;
  }

 private:
  std::atomic<size_t> left_;
};

/// A decoded section: shared by those who use it at the same time, and kept while nobody does if
/// the budget allows. Thread-safe; concurrent callers wait for one load.
template <class T>
class CachedPart {
 public:
  /// `load()` gives Result<shared_ptr<const T>>, `bytes(t)` its size. Errors are not kept.
  template <class Load, class Bytes>
  Result<std::shared_ptr<const T>> get(CacheBudget& budget, Load load, Bytes bytes) {
    const std::lock_guard lock(mutex_);
    if (auto alive = recent_.lock()) return alive;
    HEARTH_ASSIGN_OR_RETURN(std::shared_ptr<const T> part, load());
    recent_ = part;
    if (budget.take(bytes(*part))) kept_ = part;
    return part;
  }

 private:
  std::mutex mutex_;
  std::weak_ptr<const T> recent_;
  std::shared_ptr<const T> kept_;
};

}  // namespace hearth::storage
