#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace hearth {
namespace {

class Shared {
 public:
  Shared(size_t count, const std::function<void(size_t, size_t)>& body)
      : count_(count), body_(&body) {}

  void help() {
    size_t worker = 0;
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      worker = ++helpers_;
      ++running_;
    }
    work(worker);
    const std::lock_guard lock(mutex_);
    --running_;
    idle_.notify_all();
  }

  void work(size_t worker) {
    for (size_t i = next_++; i < count_; i = next_++) (*body_)(worker, i);
  }

  /// After it nobody calls the body any more.
  void close() {
    std::unique_lock lock(mutex_);
    closed_ = true;
    idle_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  const size_t count_;
  const std::function<void(size_t, size_t)>* const body_;
  std::atomic<size_t> next_ = 0;
  std::mutex mutex_;
  std::condition_variable idle_;
  size_t helpers_ = 0, running_ = 0;
  bool closed_ = false;
};

}  // namespace

void parallel_for(Executor* executor, size_t helpers, size_t count,
                  const std::function<void(size_t worker, size_t index)>& body) {
  if (executor == nullptr || helpers == 0 || count < 2) {
    for (size_t i = 0; i < count; ++i) body(0, i);
    return;
  }
  const auto shared = std::make_shared<Shared>(count, body);
  for (size_t h = 0; h < std::min(helpers, count - 1); ++h) {
    if (!executor->try_submit([shared] { shared->help(); })) break;
  }
  shared->work(0);
  shared->close();
}

}  // namespace hearth
