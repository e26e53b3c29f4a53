#include "base/periodic_thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <utility>

namespace hearth {

PeriodicThread::PeriodicThread(Options options, std::function<bool()> step)
    : options_(std::move(options)), step_(std::move(step)), thread_([this] { run(); }) {}

PeriodicThread::~PeriodicThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
}

void PeriodicThread::run() {
  pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
  if (options_.nice != 0) {
    // Linux applies nice to a thread id; failure only costs priority.
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), options_.nice);
  }
  if (options_.at_once && !step_()) return;
  while (wait() && step_()) {
  }
}

bool PeriodicThread::wait() {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, options_.interval, [this] { return stopping_; });
}

}  // namespace hearth
