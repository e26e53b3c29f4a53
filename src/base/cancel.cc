#include "base/cancel.h"

namespace hearth {

CancelToken::CancelToken(const Clock& clock, int64_t deadline_boot_ns)
    : state_(std::make_shared<State>(&clock, deadline_boot_ns)) {}

void CancelToken::cancel() const {
  if (state_) state_->cancelled.store(true, std::memory_order_relaxed);
}

Status CancelToken::check() const {
  if (!state_) return {};
  if (state_->cancelled.load(std::memory_order_relaxed)) return fail(ErrorCode::cancelled, "the client went away");
  if (state_->clock->boot_ns() > state_->deadline_boot_ns) {
    return fail(ErrorCode::deadline_exceeded, "the request's deadline passed");
  }
  return {};
}

}  // namespace hearth
