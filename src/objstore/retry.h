#pragma once

#include <cstdint>
#include <mutex>

#include "base/random.h"

namespace hearth::objstore {

/// How long to wait before try `n` + 1 (n = 1, 2, …): anything up to 100 ms doubled n - 1 times, at
/// most 30 s. The whole span is random, so that clients which failed together do not return
/// together.
int64_t backoff_ns(int tries, Random& random);

/// Keeps retries below a fifth of all requests, so that a store in trouble gets less work, not
/// more. A small balance is there from the start. Thread-safe.
class RetryBudget {
 public:
  void on_request();
  /// False: no retry now.
  [[nodiscard]] bool take();

 private:
  std::mutex mutex_;
  double balance_ = 10;
};

}  // namespace hearth::objstore
