#include "storage/range_fetcher.h"

#include <algorithm>
#include <condition_variable>
#include <utility>
#include <vector>

namespace hearth::storage {

using SteadyClock = std::chrono::steady_clock;

namespace {

// A bucket next door answers in a millisecond: there a pause of this machine is no slow server.
std::chrono::nanoseconds hedge_after(std::chrono::nanoseconds p95) {
  return std::max<std::chrono::nanoseconds>(p95 + p95 / 2, std::chrono::milliseconds(10));
}

}  // namespace

void LatencyTracker::add(std::chrono::nanoseconds latency) {
  const std::lock_guard lock(mutex_);
  last_[count_++ % kKept] = latency;
}

std::optional<std::chrono::nanoseconds> LatencyTracker::p95() const {
  const std::lock_guard lock(mutex_);
  if (count_ < kNeeded) return std::nullopt;
  std::vector<std::chrono::nanoseconds> sorted(
      last_.begin(), last_.begin() + static_cast<ptrdiff_t>(std::min(count_, kKept)));
  const auto at = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() * 95 / 100);
  std::nth_element(sorted.begin(), at, sorted.end());
  return *at;
}

struct RangeFetcher::Fetch::State : std::enable_shared_from_this<State> {
  State(std::shared_ptr<Shared> f, std::shared_ptr<const ObjectReader> o, ByteRange r, OnDone d)
      : shared(std::move(f)), object(std::move(o)), range(r), on_done(std::move(d)) {}

  void request() {
    const auto asked = SteadyClock::now();
    {
      const std::lock_guard lock(mutex);
      if (!first_asked) first_asked = asked;
      done.notify_all();
    }
    ++shared->requests;
    shared->bytes += range.length;
    auto answer = object->read(range.offset, range.length);
    if (answer) shared->latency.add(SteadyClock::now() - asked);
    {
      const std::lock_guard lock(mutex);
      --running;
      // An error counts only when no other request can still succeed.
      if (result || (!answer && running > 0)) return;
      result = std::move(answer);
      done.notify_all();
    }
    if (on_done) on_done(range, *result);
  }

  /// False when the executor takes no more tasks.
  bool submit() {
    return shared->executor != nullptr &&
           shared->executor->try_submit([self = shared_from_this()] { self->request(); });
  }

  /// Under the mutex: asks a second time, unless the executor is busy: that is no help.
  void hedge() {
    hedged = true;
    ++running;
    if (submit()) {
      ++shared->hedges;
    } else {
      --running;
    }
  }

  const std::shared_ptr<Shared> shared;
  const std::shared_ptr<const ObjectReader> object;
  const ByteRange range;
  const OnDone on_done;
  std::mutex mutex;
  std::condition_variable done;
  std::optional<Result<SharedBytes>> result;
  std::optional<SteadyClock::time_point> first_asked;  ///< It waited for a thread before that.
  int running = 0;
  bool left_to_waiter = false, hedged = false;
};

RangeFetcher::Fetch::Fetch(RangeFetcher& fetcher, std::shared_ptr<const ObjectReader> object,
                           ByteRange range, OnDone on_done)
    : state_(
          std::make_shared<State>(fetcher.shared_, std::move(object), range, std::move(on_done))) {}
RangeFetcher::Fetch::~Fetch() = default;

ByteRange RangeFetcher::Fetch::range() const {
  return state_->range;
}

void RangeFetcher::Fetch::begin() {
  State& s = *state_;
  {
    const std::lock_guard lock(s.mutex);
    ++s.running;
  }
  if (s.submit()) return;
  const std::lock_guard lock(s.mutex);
  s.left_to_waiter = true;
  s.done.notify_all();
}

Result<SharedBytes> RangeFetcher::Fetch::wait() {
  State& s = *state_;
  const auto wake = [&s] { return s.result.has_value() || s.left_to_waiter; };
  std::unique_lock lock(s.mutex);
  while (!s.result) {
    const auto p95 = s.shared->latency.p95();
    if (!s.first_asked) {
      s.done.wait(lock, [&] { return wake() || s.first_asked; });
    } else if (!p95 || s.hedged) {
      s.done.wait(lock, wake);
    } else if (!s.done.wait_until(lock, *s.first_asked + hedge_after(*p95), wake) && !s.hedged) {
      s.hedge();
    }
    if (!std::exchange(s.left_to_waiter, false)) continue;
    lock.unlock();
    s.request();
    lock.lock();
  }
  return *s.result;
}

}  // namespace hearth::storage
