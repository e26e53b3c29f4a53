#include "api/write_log.h"

namespace hearth::api {

void WriteLog::refuse(Rejection rejection) {
  ++rejected_;
  if (rejection.message.size() > kMessageMax) rejection.message.resize(kMessageMax);
  const std::lock_guard lock(mutex_);
  kept_.push_front(std::move(rejection));
  if (kept_.size() > kKept) kept_.pop_back();
}

std::vector<Rejection> WriteLog::rejections() const {
  const std::lock_guard lock(mutex_);
  return {kept_.begin(), kept_.end()};
}

}  // namespace hearth::api
