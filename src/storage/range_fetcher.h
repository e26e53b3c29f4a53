#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "base/executor.h"
#include "hearth/object_store.h"
#include "storage/block_cache.h"

namespace hearth::storage {

/// How long the last requests took. Thread-safe.
class LatencyTracker {
 public:
  void add(std::chrono::nanoseconds latency);
  /// The 95th percentile; nullopt before there are enough to tell.
  [[nodiscard]] std::optional<std::chrono::nanoseconds> p95() const;

 private:
  static constexpr size_t kKept = 128, kNeeded = 20;
  mutable std::mutex mutex_;
  std::array<std::chrono::nanoseconds, kKept> last_{};
  size_t count_ = 0;
};

/// Reads parts of remote objects on an executor of blocking calls. A read that takes half as long
/// again as 95 % of those before it (at 95 % itself one in twenty would), and 10 ms, is asked for a
/// second time, and the first answer counts: one slow server behind a bucket does not make every
/// query slow. Thread-safe.
class RangeFetcher {
 public:
  /// `executor`: nullptr: fetches happen when they are waited for.
  explicit RangeFetcher(Executor* executor) : shared_(std::make_shared<Shared>(executor)) {}

  /// Called once, by whoever read them, with the bytes or why there are none.
  using OnDone = std::function<void(ByteRange, const Result<SharedBytes>&)>;

  /// One read.
  class Fetch {
   public:
    Fetch(RangeFetcher& fetcher, std::shared_ptr<const ObjectReader> object, ByteRange range,
          OnDone on_done);
    ~Fetch();
    [[nodiscard]] ByteRange range() const;
    /// Begins to read and returns at once. Once.
    void begin();
    /// The bytes of range(); waits for them. By any number of callers.
    [[nodiscard]] Result<SharedBytes> wait();

   private:
    struct State;
    std::shared_ptr<State> state_;
  };
  struct Stats {
    uint64_t requests = 0, hedges = 0, bytes = 0;
  };
  [[nodiscard]] Stats stats() const { return {shared_->requests, shared_->hedges, shared_->bytes}; }

 private:
  /// What a request needs that was overtaken and ends after everybody has gone.
  struct Shared {
    Executor* executor;
    LatencyTracker latency;
    std::atomic<uint64_t> requests = 0, hedges = 0, bytes = 0;
  };
  std::shared_ptr<Shared> shared_;
};

}  // namespace hearth::storage
