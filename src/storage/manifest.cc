#include "storage/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/fault_point.h"

namespace hearth::storage {
namespace {

constexpr size_t kListPage = 1000;
constexpr int kAttempts = 3;

template <class T>
void sort_by_key(std::vector<T>& list) {
  std::ranges::sort(list, {}, &T::key);
}

}  // namespace

Manifest::Manifest(ObjectStore& bucket, Random& random, const Clock& clock,
                   std::string writer_version)
    : bucket_(bucket),
      random_(random),
      clock_(clock),
      writer_version_(std::move(writer_version)),
      current_(std::make_shared<const Snapshot>()) {}

std::shared_ptr<const Snapshot> Manifest::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

void Manifest::set_current(Snapshot snapshot) {
  auto next = std::make_shared<const Snapshot>(std::move(snapshot));
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
}

Result<std::optional<Snapshot>> Manifest::read(uint64_t number) const {
  const std::string key = snapshot_key(number);
  HEARTH_ASSIGN_OR_RETURN(const auto object, bucket_.open(key));
  if (!object) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes bytes, object->read(0, object->size()));
  auto snapshot = decode_snapshot(bytes.view);
  if (!snapshot) {
    return fail(snapshot.error().code, fmt::format("{}: {}", key, snapshot.error().message));
  }
  if (snapshot->number != number) {
    return fail(ErrorCode::data_loss, fmt::format("{}: it is number {}", key, snapshot->number));
  }
  return std::move(*snapshot);
}

Result<uint64_t> Manifest::newest_listed(uint64_t known) const {
  uint64_t newest = known;
  std::string after = known == 0 ? std::string(kSnapshotPrefix) : snapshot_key(known);
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page,
                            bucket_.list(std::string(kSnapshotPrefix), after, kListPage));
    for (const auto& entry : page) newest = std::max(newest, parse_snapshot_key(entry.key));
    if (page.size() < kListPage) return newest;
    after = page.back().key;
  }
}

Status Manifest::refresh() {
  const uint64_t known = current()->number;
  HEARTH_ASSIGN_OR_RETURN(const uint64_t listed, newest_listed(known));
  std::optional<Snapshot> newest;
  uint64_t number = listed;
  if (listed > known) {
    HEARTH_ASSIGN_OR_RETURN(newest, read(listed));
    if (!newest) {
      return fail(ErrorCode::unavailable,
                  fmt::format("{} is listed but cannot be read", snapshot_key(listed)));
    }
  }
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(auto next, read(number + 1));
    if (!next) break;
    newest = std::move(next);
    ++number;
  }
  if (newest) set_current(std::move(*newest));
  unsure_ = false;
  return {};
}

/// nullopt when the change takes away something that is no longer there, as after a lost race.
std::optional<Snapshot> Manifest::apply(const Change& change) const {
  const auto base = current();
  Snapshot next = *base;
  next.number = base->number + 1;
  next.previous_nonce = base->nonce;
  next.nonce = random_uuid(random_);
  next.created_ns = clock_.wall_ns();
  next.writer_version = writer_version_;
  const std::set<std::string, std::less<>> collected(change.collected.begin(),
                                                     change.collected.end());
  std::erase_if(next.tombstones, [&](const Tombstone& t) { return collected.contains(t.key); });
  const std::set<std::string, std::less<>> removed(change.removed.begin(), change.removed.end());
  for (const std::string& key : removed) {
    if (const auto fresh = parse_fresh_key(key)) {
      if (base->absorbed.contains(*fresh)) return std::nullopt;
      next.absorbed.add(*fresh);
    } else if (base->find(key) == nullptr) {
      return std::nullopt;
    }
    next.tombstones.push_back({key, next.number});
  }
  std::erase_if(next.segments, [&](const SnapshotSegment& s) { return removed.contains(s.key); });
  next.segments.insert(next.segments.end(), change.added.begin(), change.added.end());
  sort_by_key(next.segments);
  sort_by_key(next.tombstones);
  return next;
}

// A number that is taken may be our own: the answer to an earlier attempt can be lost.
Result<Manifest::Outcome> Manifest::publish(const Snapshot& next, const std::string& bytes) {
  const std::string key = snapshot_key(next.number);
  Error last;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    HEARTH_KILL_POINT("compact.before_commit");
    const auto put = bucket_.put_if_absent(key, bytes);
    HEARTH_KILL_POINT("compact.after_commit");
    if (put && *put == ObjectStore::PutOutcome::created) return Outcome::committed;
    if (!put) last = put.error();
    const auto there = read(next.number);
    if (!there) {
      last = there.error();
    } else if (there->has_value()) {
      return (*there)->nonce == next.nonce ? Outcome::committed : Outcome::lost;
    }
  }
  return fail(ErrorCode::unavailable,
              fmt::format("commit {}: outcome unknown: {}", key, last.message));
}

Result<Manifest::Outcome> Manifest::commit(const Change& change) {
  if (unsure_) {
    return fail(ErrorCode::unavailable, "commit a snapshot: the last one's outcome is unknown");
  }
  auto next = apply(change);
  if (!next) return Outcome::lost;
  unsure_ = true;
  HEARTH_ASSIGN_OR_RETURN(const Outcome outcome, publish(*next, encode_snapshot(*next)));
  // Whoever slept until old snapshots were collected can win a number that was used long ago: only
  // the newest counts.
  HEARTH_ASSIGN_OR_RETURN(const uint64_t newest, newest_listed(next->number));
  unsure_ = false;
  if (outcome == Outcome::lost || newest != next->number) return Outcome::lost;
  set_current(std::move(*next));
  return Outcome::committed;
}

}  // namespace hearth::storage
