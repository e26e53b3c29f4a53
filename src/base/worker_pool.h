#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/executor.h"

namespace hearth {

/// Fixed number of std threads over one bounded queue, first in, first out unless told otherwise.
/// Of the idle threads the one that worked last is woken: its caches and its stack are warm, and a
/// pool that is larger than its load costs nothing. The destructor runs what is queued, then joins.
/// A task that throws ends the process: tasks turn their failures into results.
class WorkerPool final : public Executor {
 public:
  struct Options {
    std::string name;  ///< Thread name, at most 15 bytes are shown.
    size_t threads = 1;
    size_t queue_max = 1024;  ///< Tasks waiting, not counting those that run.
    int nice = 0;             ///< Added to the threads' nice value; queries run below ingest.
    /// A thread that wakes takes no processor from one that runs (SCHED_BATCH): it waits for its
    /// slice to end, and finds more to do at once.
    bool patient = false;
    /// Above zero: while no task has waited as long as this, the newest goes first (adaptive LIFO:
    /// Maurer, Fail at Scale, ACM Queue 13(8), 2015). What it works on was read a moment ago and is
    /// still in the caches, and most of a burst is answered soon; those that have waited as long
    /// go before all others, oldest first, so that none is left behind.
    std::chrono::milliseconds newest_first_for{0};
  };
  explicit WorkerPool(Options options);
  ~WorkerPool() override;
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool try_submit(std::function<void()> task) override;
  /// Tasks waiting now.
  [[nodiscard]] size_t queued() const;

 private:
  struct Idle {
    std::condition_variable wake;
    bool woken = false;
  };
  struct Waiting {
    std::function<void()> task;
    std::chrono::steady_clock::time_point since;
  };
  /// The queue is not empty, the lock is held.
  std::function<void()> take_next();
  void run(size_t index);
  void wait(std::unique_lock<std::mutex>& lock, Idle& self);

  const Options options_;
  mutable std::mutex mutex_;
  std::vector<Idle*> idle_;  ///< The last to become idle at the back.
  std::deque<Waiting> queue_;
  bool stopping_ = false;
  std::vector<std::jthread> threads_;
};

}  // namespace hearth
