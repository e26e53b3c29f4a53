#pragma once

#include <functional>

namespace hearth {

/// Runs tasks. The core never starts a thread itself: it is handed one of these, so that a test or a simulation can run
/// everything inline. Thread-safe.
class Executor {
 public:
  virtual ~Executor() = default;
  /// False when the bounded queue is full; the task is then not run and the caller answers `unavailable`.
  [[nodiscard]] virtual bool try_submit(std::function<void()> task) = 0;
};

/// Runs each task before try_submit returns.
class InlineExecutor final : public Executor {
 public:
  bool try_submit(std::function<void()> task) override {
    task();
    return true;
  }
};

/// For who was handed none; it has no state.
[[nodiscard]] inline Executor& inline_executor() {
  static InlineExecutor executor;
  return executor;
}

}  // namespace hearth
