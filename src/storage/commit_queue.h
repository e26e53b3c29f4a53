#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/executor.h"
#include "base/result.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// A place in the commit queue. Lives until done() was called.
class PendingWrite {
 public:
  virtual ~PendingWrite() = default;
  KvBatch batch;  ///< Empty: only waits until everything before it is durable.

  /// Called once the batch is durable, in the order of the queue, before done() of any in its
  /// group.
  virtual void publish() {}

 protected:
  /// Called last, once, on the thread that leads; the queue does not touch the write afterwards.
  /// Wakes who is in wait(); a write that nobody waits for does here what is left to do.
  virtual void done(const Status& status);

 private:
  friend class CommitQueue;
  [[nodiscard]] Status await();

  /// Its own lock, not the queue's: a group that is woken at once does not meet at one.
  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<Status> status_;
};

/// Group commit with one global order: no write becomes durable, or visible, before an earlier one.
/// Whoever finds nobody leading has the executor lead: take what is queued, up to 32 MiB, write it
/// as one synced batch, publish, tell each member, until the queue is empty. The first failure is
/// final (docs/architecture.md, "Rules"): every write gets `unavailable`. `on_failure` is called
/// once, when all that were queued have been told; it ends the process. Should it return, writes
/// that came meanwhile are told after it.
class CommitQueue {
 public:
  /// `leader`: a thread of its own where many writes come at once; inline, a caller under steady
  /// load of others would lead for long.
  CommitQueue(KvStore& store, Executor& leader, std::function<void(const Error&)> on_failure);
  ~CommitQueue() { drain(); }
  CommitQueue(const CommitQueue&) = delete;
  CommitQueue& operator=(const CommitQueue&) = delete;

  /// Takes a place; cheap. The caller must then call start() or wait(), not holding any lock that
  /// publish(), done() or another caller in between takes. Out of memory ends the process.
  void enqueue(PendingWrite& write) noexcept;
  /// Sees to it that somebody leads. Out of memory ends the process, here and while leading: other
  /// callers' writes hang on the leader, and recovery is the only code that then knows what is
  /// durable.
  void start() noexcept;
  /// start(); returns when `write`, whose done() is the inherited one, is durable and published,
  /// or failed.
  [[nodiscard]] Status wait(PendingWrite& write) noexcept;
  [[nodiscard]] Status commit(PendingWrite& write) {
    enqueue(write);
    return wait(write);
  }
  /// Returns when nothing is queued and nobody leads.
  void drain();
  /// Synced batches written so far; appends divided by this is the size of a group.
  [[nodiscard]] uint64_t groups() const;
  /// Writes that wait for the leader, those of the group that is being written left out.
  [[nodiscard]] size_t queued() const;

 private:
  void lead() noexcept;
  [[nodiscard]] bool take_group(std::vector<PendingWrite*>& group);
  void tell_of_failure();
  void commit_group(const std::vector<PendingWrite*>& group);
  [[nodiscard]] Status write_group(const std::vector<PendingWrite*>& group);

  KvStore& store_;
  Executor& leader_;
  const std::function<void(const Error&)> on_failure_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::vector<PendingWrite*> queue_;
  bool leading_ = false;  ///< The executor leads, or was asked to.
  uint64_t groups_ = 0;
  std::optional<Error> failed_;  ///< Of the leader alone.
  bool told_ = false;            ///< Likewise: on_failure_ was called.
};

}  // namespace hearth::storage
