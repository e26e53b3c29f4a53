#include "base/worker_pool.h"

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace hearth {

WorkerPool::WorkerPool(Options options) : options_(std::move(options)) {
  threads_.reserve(options_.threads);
  for (size_t i = 0; i < options_.threads; ++i) threads_.emplace_back([this, i] { run(i); });
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Idle* idle : idle_) idle->wake.notify_one();
  }
}

bool WorkerPool::try_submit(std::function<void()> task) {
  Waiting waiting{std::move(task), {}};
  if (options_.newest_first_for.count() > 0) waiting.since = std::chrono::steady_clock::now();
  Idle* last = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || queue_.size() >= options_.queue_max) return false;
    queue_.push_back(std::move(waiting));
    if (!idle_.empty()) {
      last = idle_.back();
      idle_.pop_back();
      last->woken = true;
    }
  }
  // Without the lock, which is the first thing that the woken thread takes.
  if (last != nullptr) last->wake.notify_one();
  return true;
}

void WorkerPool::wait(std::unique_lock<std::mutex>& lock, Idle& self) {
  self.woken = false;
  idle_.push_back(&self);
  self.wake.wait(lock, [&] { return stopping_ || self.woken; });
}

size_t WorkerPool::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::function<void()> WorkerPool::take_next() {
  const bool newest_first =
      options_.newest_first_for.count() > 0 &&
      std::chrono::steady_clock::now() - queue_.front().since < options_.newest_first_for;
  Waiting& next = newest_first ? queue_.back() : queue_.front();
  std::function<void()> task = std::move(next.task);
  if (newest_first) {
    queue_.pop_back();
  } else {
    queue_.pop_front();
  }
  return task;
}

void WorkerPool::run(size_t index) {
  const std::string name = (options_.name + "-" + std::to_string(index)).substr(0, 15);
  pthread_setname_np(pthread_self(), name.c_str());
  if (options_.nice != 0) {
    // Linux applies nice to a thread id; failure only costs priority.
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);
  }
  if (options_.patient) {
    const sched_param none{};
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
  }
  Idle self;
  std::unique_lock lock(mutex_);
  while (true) {
    while (queue_.empty() && !stopping_) wait(lock, self);
    if (queue_.empty()) return;
    auto task = take_next();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace hearth
