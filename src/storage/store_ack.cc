#include <chrono>

#include "storage/store_impl.h"

// Answers that wait for the bucket. One seal serves all requests that came before it: the timer,
// not the requests, says how many objects are made.
namespace hearth::storage {
namespace {

/// Bounds what a client waits when the bucket neither takes nor refuses an object.
constexpr auto kWaitMax = std::chrono::seconds(60);

}  // namespace

// Also for profiles that are only recognised again: the request that brought them may still wait.
// Its generation is not known, but is not above this request's.
Status StoreImpl::wait_for_bucket(uint64_t generation) {
  std::unique_lock lock(ack_mutex_);
  const uint64_t failures = ack_failures_;
  ++ack_waiters_;
  const bool told = ack_changed_.wait_for(
      lock, kWaitMax, [&] { return sealed_before_ > generation || ack_failures_ != failures; });
  --ack_waiters_;
  if (sealed_before_ > generation) return {};
  return fail(ErrorCode::unavailable,
              told ? "append: stored here, but the bucket did not take it; send it again"
                   : "append: stored here, but the bucket did not answer; send it again",
              kBucketAway);
}

// Under seal_mutex_.
void StoreImpl::tell_waiters(bool sealed) {
  const std::lock_guard lock(ack_mutex_);
  if (sealed) {
    sealed_before_ = frozen_before_;
  } else {
    ++ack_failures_;
  }
  ack_changed_.notify_all();
}

bool StoreImpl::ack_is_due(int64_t now_ns) const {
  const std::lock_guard lock(ack_mutex_);
  return ack_waiters_ > 0 && now_ns >= next_ack_seal_ns_;
}

}  // namespace hearth::storage
