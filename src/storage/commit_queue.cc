#include "storage/commit_queue.h"

#include <utility>

#include "base/fault_point.h"

namespace hearth::storage {

CommitQueue::CommitQueue(KvStore& store, std::function<void(const Error&)> on_failure)
    : store_(store), on_failure_(std::move(on_failure)) {}

void PendingWrite::give(Turn turn) {
  const std::lock_guard lock(mutex_);
  turn_ = turn;
  wake_.notify_one();
}

PendingWrite::Turn PendingWrite::await_turn() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return turn_ != Turn::none; });
  return turn_;
}

void CommitQueue::enqueue(PendingWrite& write) noexcept {
  const std::lock_guard lock(mutex_);
  queue_.push_back(&write);
}

uint64_t CommitQueue::groups() const {
  const std::lock_guard lock(mutex_);
  return groups_;
}

Status CommitQueue::write_group(const std::vector<PendingWrite*>& group) {
  std::vector<const KvBatch*> batches;
  batches.reserve(group.size());
  for (const PendingWrite* write : group) {
    if (!write->batch.empty()) batches.push_back(&write->batch);
  }
  if (batches.empty()) return {};
  HEARTH_KILL_POINT("append.before_write");
  Status status = store_.write(batches, /*sync=*/true);
  HEARTH_KILL_POINT("append.after_sync");
  return status;
}

// The failure, if there is one, of this group or of one before it.
std::optional<Error> CommitQueue::publish_group(const std::vector<PendingWrite*>& group,
                                                const std::optional<Error>& failed) {
  if (failed) return failed;
  if (const Status written = write_group(group); !written)
    return Error{ErrorCode::unavailable, "commit: " + written.error().message, "storage_failed"};
  for (PendingWrite* member : group) member->publish();
  return std::nullopt;
}

bool CommitQueue::takes_lead(const PendingWrite& write) {
  const std::lock_guard lock(mutex_);
  if (leading_ || queue_.empty() || queue_.front() != &write) return false;
  return leading_ = true;
}

// The next leader waits already, or finds its turn when it comes to wait(). What is in the queue
// stays alive until then.
void CommitQueue::pass_lead(const std::optional<Error>& failure) {
  PendingWrite* next = nullptr;
  {
    const std::lock_guard lock(mutex_);
    failed_ = failure;
    ++groups_;
    leading_ = !queue_.empty();
    if (leading_) next = queue_.front();
  }
  if (next != nullptr) next->give(PendingWrite::Turn::lead);
}

Status CommitQueue::lead(const PendingWrite& own) {
  std::vector<PendingWrite*> group;
  std::optional<Error> before;
  {
    const std::lock_guard lock(mutex_);
    group.swap(queue_);
    before = failed_;
  }
  const std::optional<Error> failure = publish_group(group, before);
  const Status status = failure ? Status(tl::unexpected(*failure)) : Status();
  pass_lead(failure);
  for (PendingWrite* member : group) {
    if (member == &own) continue;
    member->status_ = status;
    member->give(PendingWrite::Turn::done);
  }
  if (failure && !before) on_failure_(*failure);
  return status;
}

Status CommitQueue::wait(PendingWrite& write) noexcept {
  if (!takes_lead(write) && write.await_turn() == PendingWrite::Turn::done) return write.status_;
  return lead(write);
}

}  // namespace hearth::storage
