#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/result.h"
#include "hearth/clock.h"

namespace hearth {

/// Says whether work for a request is still wanted: the caller went away, or its deadline passed.
/// Cheap to copy; every copy shares one flag. Thread-safe. Workers call `check()` once a block of work.
class CancelToken {
 public:
  /// Never cancelled, no deadline.
  CancelToken() = default;
  CancelToken(const Clock& clock, int64_t deadline_boot_ns);
  void cancel() const;
  /// `cancelled` or `deadline_exceeded` when the work should stop, else success.
  [[nodiscard]] Status check() const;

 private:
  struct State {
    const Clock* clock;
    int64_t deadline_boot_ns;
    std::atomic<bool> cancelled = false;
  };
  std::shared_ptr<State> state_;
};

}  // namespace hearth
