#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace hearth {

/// Calls `step` in a thread of its own, again and again with `interval` between the end of one call
/// and the begin of the next, until it answers false or this object is destroyed. The destructor
/// wakes a waiting thread and waits for a running step: what may take long needs a token of its
/// caller's.
class PeriodicThread {
 public:
  struct Options {
    std::string name;  ///< Of the thread, at most 15 bytes are shown.
    std::chrono::nanoseconds interval;
    bool at_once = false;  ///< The first step does not wait for an interval.
    int nice = 0;          ///< Added to the thread's nice value.
  };
  PeriodicThread(Options options, std::function<bool()> step);
  ~PeriodicThread();
  PeriodicThread(const PeriodicThread&) = delete;
  PeriodicThread& operator=(const PeriodicThread&) = delete;

 private:
  void run();
  /// False when the thread must end.
  bool wait();

  const Options options_;
  const std::function<bool()> step_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::jthread thread_;  // Last: it uses what stands above.
};

}  // namespace hearth
