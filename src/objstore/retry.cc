#include "objstore/retry.h"

#include <algorithm>

namespace hearth::objstore {
namespace {

constexpr uint64_t kBackoffMin = 100'000'000;
constexpr uint64_t kBackoffMax = 30'000'000'000;
constexpr double kRetriesPerRequest = 0.2;
constexpr double kBalanceMax = 10;

}  // namespace

int64_t backoff_ns(int tries, Random& random) {
  const uint64_t ceiling = std::min(kBackoffMax, kBackoffMin << std::clamp(tries - 1, 0, 16));
  return static_cast<int64_t>(random.next_u64() % (ceiling + 1));
}

void RetryBudget::on_request() {
  const std::lock_guard lock(mutex_);
  balance_ = std::min(kBalanceMax, balance_ + kRetriesPerRequest);
}

bool RetryBudget::take() {
  const std::lock_guard lock(mutex_);
  if (balance_ < 1) return false;
  balance_ -= 1;
  return true;
}

}  // namespace hearth::objstore
