#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/result.h"

namespace hearth {

class MemoryAccountant;

/// Bytes charged to an accountant; given back by the destructor. Movable, not copyable.
class MemoryCharge {
 public:
  MemoryCharge() = default;
  MemoryCharge(MemoryCharge&& other) noexcept
      : accountant_(std::exchange(other.accountant_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  MemoryCharge& operator=(MemoryCharge&& other) noexcept {
    std::swap(accountant_, other.accountant_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~MemoryCharge();
  [[nodiscard]] size_t bytes() const { return bytes_; }
  /// Changes the charge to `bytes`. On error (over the limit) the charge is unchanged.
  [[nodiscard]] Status resize(size_t bytes);

 private:
  friend class MemoryAccountant;
  MemoryCharge(MemoryAccountant* accountant, size_t bytes) : accountant_(accountant), bytes_(bytes) {}
  MemoryAccountant* accountant_ = nullptr;
  size_t bytes_ = 0;
};

/// The one account of large buffers: request bodies, decoded profiles, dictionaries, unsealed rows,
/// caches, query state. New work is refused (`unavailable`) above 85 % of the limit; caches should
/// shed above 75 %. Thread-safe; wait-free.
class MemoryAccountant {
 public:
  explicit MemoryAccountant(size_t limit_bytes) : limit_(limit_bytes) {}
  /// Charges `bytes` for new work. `what` names the work in the error.
  [[nodiscard]] Result<MemoryCharge> charge(size_t bytes, const char* what);
  /// Charges without a limit: for state that must exist (a dictionary's growth under an accepted request).
  [[nodiscard]] MemoryCharge must_charge(size_t bytes);
  [[nodiscard]] size_t used() const { return used_.load(std::memory_order_relaxed); }
  [[nodiscard]] size_t limit() const { return limit_; }
  [[nodiscard]] bool should_shed() const { return used() > limit_ / 4 * 3; }

 private:
  friend class MemoryCharge;
  [[nodiscard]] bool try_add(size_t bytes);
  void give_back(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  const size_t limit_;
  std::atomic<size_t> used_ = 0;
};

/// The memory this process may use: the cgroup's limit (v1 or v2) or the machine's memory, whichever is less, in bytes.
size_t machine_memory_bytes();

}  // namespace hearth
