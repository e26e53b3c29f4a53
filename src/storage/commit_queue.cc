#include "storage/commit_queue.h"

#include <utility>

#include "base/fault_point.h"

namespace hearth::storage {
namespace {

/// A disk that stalled for long is given what waited in parts, each of which is acknowledged.
constexpr size_t kGroupBytesMax = size_t{32} << 20U;

/// How many of the first writes make a group: at least one.
size_t group_size(const std::vector<PendingWrite*>& queue) {
  size_t bytes = 0;
  for (size_t i = 0; i < queue.size(); ++i) {
    bytes += queue[i]->batch.bytes();
    if (i > 0 && bytes > kGroupBytesMax) return i;
  }
  return queue.size();
}

}  // namespace

// The notification comes under the lock: who waits may destroy the write as soon as it is free.
void PendingWrite::done(const Status& status) {
  const std::lock_guard lock(mutex_);
  status_ = status;
  wake_.notify_one();
}

Status PendingWrite::await() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return status_.has_value(); });
  return *status_;
}

CommitQueue::CommitQueue(KvStore& store, Executor& leader,
                         std::function<void(const Error&)> on_failure)
    : store_(store), leader_(leader), on_failure_(std::move(on_failure)) {}

void CommitQueue::enqueue(PendingWrite& write) noexcept {
  const std::lock_guard lock(mutex_);
  queue_.push_back(&write);
}

void CommitQueue::start() noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (leading_ || queue_.empty()) return;
    leading_ = true;
  }
  // A pool that takes no tasks any more does not keep what was promised from being written.
  if (!leader_.try_submit([this] { lead(); })) lead();
}

Status CommitQueue::wait(PendingWrite& write) noexcept {
  start();
  return write.await();
}

void CommitQueue::drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !leading_ && queue_.empty(); });
}

uint64_t CommitQueue::groups() const {
  const std::lock_guard lock(mutex_);
  return groups_;
}

size_t CommitQueue::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void CommitQueue::lead() noexcept {
  std::vector<PendingWrite*> group;
  while (take_group(group)) {
    commit_group(group);
    if (failed_ && !told_) tell_of_failure();
  }
}

// Who waits already hears of it before the process ends, which takes the moment that their answers
// need. This still leads: nothing is written any more.
void CommitQueue::tell_of_failure() {
  told_ = true;
  std::vector<PendingWrite*> rest;
  {
    const std::lock_guard lock(mutex_);
    rest.swap(queue_);
  }
  commit_group(rest);
  on_failure_(*failed_);
}

// False: nobody leads any more. The notification comes under the lock, see done().
bool CommitQueue::take_group(std::vector<PendingWrite*>& group) {
  group.clear();
  const std::lock_guard lock(mutex_);
  if (const size_t size = group_size(queue_); size == queue_.size()) {
    group.swap(queue_);
  } else {
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(size);
    group.assign(queue_.begin(), end);
    queue_.erase(queue_.begin(), end);
  }
  if (!group.empty()) {
    ++groups_;
    return true;
  }
  leading_ = false;
  idle_.notify_all();
  return false;
}

void CommitQueue::commit_group(const std::vector<PendingWrite*>& group) {
  if (!failed_) {
    if (const Status written = write_group(group); !written)
      failed_ =
          Error{ErrorCode::unavailable, "commit: " + written.error().message, "storage_failed"};
  }
  if (!failed_) {
    for (PendingWrite* member : group) member->publish();
  }
  const Status status = failed_ ? Status(tl::unexpected(*failed_)) : Status();
  for (PendingWrite* member : group) member->done(status);
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

}  // namespace hearth::storage
