#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "base/result.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// One caller's place in the commit queue. Lives until wait() returned.
class PendingWrite {
 public:
  virtual ~PendingWrite() = default;
  KvBatch batch;  ///< Empty: only waits until everything before it is durable.

  /// Called once the batch is durable, in the order of the queue, before any caller is woken.
  virtual void publish() {}

 private:
  friend class CommitQueue;
  enum class Turn : unsigned char { none, lead, done };
  void give(Turn turn);
  [[nodiscard]] Turn await_turn();

  /// Its own lock, not the queue's: a group that is woken at once does not meet at one.
  std::mutex mutex_;
  std::condition_variable wake_;
  Turn turn_ = Turn::none;
  Status status_;  ///< Set before its turn is `done`.
};

/// Group commit with one global order: no write becomes durable, or visible, before an earlier one.
/// A caller whose write is first leads: it takes everything queued, writes it as one synced batch,
/// publishes, hands the lead to the first that came meanwhile, and wakes the others. The first
/// failure is final (docs/architecture.md, "Rules"): every waiter, now and later, gets
/// `unavailable`, then `on_failure` is called once, which ends the process.
class CommitQueue {
 public:
  CommitQueue(KvStore& store, std::function<void(const Error&)> on_failure);

  /// Takes a place; cheap. The caller must then call wait(), not holding any lock that publish()
  /// or another caller between enqueue() and wait() takes. Out of memory ends the process.
  void enqueue(PendingWrite& write) noexcept;
  /// Returns when `write` is durable and published, or failed.
  /// Out of memory while leading ends the process: other callers' writes hang on the leader, and
  /// recovery is the only code that then knows what is durable.
  [[nodiscard]] Status wait(PendingWrite& write) noexcept;
  [[nodiscard]] Status commit(PendingWrite& write) {
    enqueue(write);
    return wait(write);
  }
  /// Synced batches written so far; appends divided by this is the size of a group.
  [[nodiscard]] uint64_t groups() const;

 private:
  [[nodiscard]] bool takes_lead(const PendingWrite& write);
  [[nodiscard]] Status lead(const PendingWrite& own);
  [[nodiscard]] Status write_group(const std::vector<PendingWrite*>& group);
  [[nodiscard]] std::optional<Error> publish_group(const std::vector<PendingWrite*>& group,
                                                   const std::optional<Error>& failed);
  void pass_lead(const std::optional<Error>& failure);

  KvStore& store_;
  const std::function<void(const Error&)> on_failure_;
  mutable std::mutex mutex_;
  std::vector<PendingWrite*> queue_;
  bool leading_ = false;  ///< Someone leads, or was given the lead.
  std::optional<Error> failed_;
  uint64_t groups_ = 0;
};

}  // namespace hearth::storage
