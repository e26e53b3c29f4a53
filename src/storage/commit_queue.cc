#include "storage/commit_queue.h"

#include <utility>

#include "base/fault_point.h"

namespace hearth::storage {

CommitQueue::CommitQueue(KvStore& store, std::function<void(const Error&)> on_failure)
    : store_(store), on_failure_(std::move(on_failure)) {}

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

void CommitQueue::finish_group(const std::vector<PendingWrite*>& group, const Status& status) {
  leading_ = false;
  ++groups_;
  for (PendingWrite* write : group) {
    write->status_ = status;
    write->done_ = true;
    write->wake_.notify_one();
  }
  // The next leader: it waits already, or it will find nobody leading when it comes to wait().
  if (!queue_.empty()) queue_.front()->wake_.notify_one();
}

Status CommitQueue::wait(PendingWrite& write) noexcept {
  std::unique_lock lock(mutex_);
  write.wake_.wait(lock, [&] { return write.done_ || (!leading_ && queue_.front() == &write); });
  if (write.done_) return write.status_;

  leading_ = true;
  std::vector<PendingWrite*> group;
  group.swap(queue_);
  std::optional<Error> failure = failed_;
  lock.unlock();
  const bool first_failure = [&] {
    if (failure) return false;
    const Status written = write_group(group);
    if (!written) {
      failure =
          Error{ErrorCode::unavailable, "commit: " + written.error().message, "storage_failed"};
      return true;
    }
    for (PendingWrite* member : group) member->publish();
    return false;
  }();
  lock.lock();
  if (failure) failed_ = failure;
  const Status status = failure ? Status(tl::unexpected(*failure)) : Status();
  finish_group(group, status);
  lock.unlock();
  if (first_failure) on_failure_(*failure);
  return status;
}

}  // namespace hearth::storage
