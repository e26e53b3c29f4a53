#include "storage/garbage.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/fault_point.h"
#include "base/log.h"

namespace hearth::storage {
namespace {

constexpr size_t kListPage = 1000;
constexpr const char* kClockKey = "lease";

/// Visits everything below a prefix.
template <class Visit>
Status for_each_object(ObjectStore& bucket, const std::string& prefix, Visit&& visit) {
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list(prefix, after, kListPage));
    for (const ObjectStore::Entry& entry : page) visit(entry);
    if (page.size() < kListPage) return {};
    after = page.back().key;
  }
}

/// The store's clock, read off an object written for that: no local clock can be compared with the
/// ages of objects.
Result<int64_t> store_time_ns(ObjectStore& bucket) {
  HEARTH_RETURN_IF_ERROR(bucket.put(kClockKey, "{\"format\":1}\n"));
  HEARTH_ASSIGN_OR_RETURN(const auto entries, bucket.list(kClockKey, "", 1));
  if (entries.empty() || entries.front().key != kClockKey) {
    return fail(ErrorCode::unavailable, "read the store's clock: the object is not listed yet");
  }
  return entries.front().modified_ns;
}

/// When each snapshot was created, by the store's clock.
Result<std::map<uint64_t, int64_t>> snapshot_times(ObjectStore& bucket) {
  std::map<uint64_t, int64_t> times;
  HEARTH_RETURN_IF_ERROR(
      for_each_object(bucket, std::string(kSnapshotPrefix), [&](const ObjectStore::Entry& entry) {
        if (const uint64_t number = parse_snapshot_key(entry.key); number != 0)
          times[number] = entry.modified_ns;
      }));
  return times;
}

/// Which tombstones are old enough. A snapshot that is gone, or was never listed, says nothing of
/// age: with the first number still there above it the age is that one's at least.
class Ages {
 public:
  static Result<Ages> read(ObjectStore& bucket, const GarbageOptions& options) {
    Ages ages(options);
    if (options.at_once) return ages;
    HEARTH_ASSIGN_OR_RETURN(ages.times_, snapshot_times(bucket));
    HEARTH_ASSIGN_OR_RETURN(ages.now_ns_, store_time_ns(bucket));
    return ages;
  }
  [[nodiscard]] bool is_old(const Tombstone& t) const {
    if (options_.at_once) return true;
    const auto since = times_.lower_bound(t.since);
    if (since == times_.end()) return false;
    const bool fresh = parse_fresh_key(t.key).has_value();
    return now_ns_ - since->second >= (fresh ? options_.fresh_delay_ns : options_.merged_delay_ns);
  }

 private:
  explicit Ages(const GarbageOptions& options) : options_(options) {}
  const GarbageOptions& options_;
  std::map<uint64_t, int64_t> times_;
  int64_t now_ns_ = 0;
};

/// True when a reader of the snapshot needs the object, whatever its tombstones say.
bool is_live(const Snapshot& snapshot, const std::string& key) {
  if (const auto fresh = parse_fresh_key(key)) return !snapshot.absorbed.contains(*fresh);
  return snapshot.find(key) != nullptr;
}

}  // namespace

Result<Collected> collect_tombstones(ObjectStore& bucket, Manifest& manifest,
                                     const GarbageOptions& options) {
  HEARTH_RETURN_IF_ERROR(manifest.refresh());
  const auto newest = manifest.current();
  if (newest->tombstones.empty()) return Collected{};
  HEARTH_ASSIGN_OR_RETURN(const Ages ages, Ages::read(bucket, options));
  Manifest::Change change;
  for (const Tombstone& t : newest->tombstones) {
    if (!ages.is_old(t) || (options.in_use && options.in_use(t.key))) continue;
    if (is_live(*newest, t.key)) {
      log::error("a live object has a tombstone; it is kept", {{"object", t.key}});
      continue;
    }
    HEARTH_KILL_POINT("collect.before_remove");
    HEARTH_RETURN_IF_ERROR(bucket.remove(t.key));
    HEARTH_KILL_POINT("collect.after_remove");
    change.collected.push_back(t.key);
  }
  if (change.collected.empty()) return Collected{};
  // A lost race leaves the tombstones; their objects are removed once more, which is no error.
  HEARTH_ASSIGN_OR_RETURN(const auto outcome, manifest.commit(change));
  (void)outcome;
  return Collected{change.collected.size(), 0, 0};
}

Result<Collected> collect_orphans(ObjectStore& bucket, Manifest& manifest,
                                  const GarbageOptions& options) {
  std::vector<ObjectStore::Entry> found;
  for (const char* prefix : {"m/", "l0/", "s/"}) {
    HEARTH_RETURN_IF_ERROR(for_each_object(
        bucket, prefix, [&](const ObjectStore::Entry& entry) { found.push_back(entry); }));
  }
  HEARTH_ASSIGN_OR_RETURN(const int64_t now_ns, store_time_ns(bucket));
  HEARTH_RETURN_IF_ERROR(manifest.refresh());
  const auto newest = manifest.current();
  std::set<std::string, std::less<>> buried;
  for (const Tombstone& t : newest->tombstones) buried.insert(t.key);
  Collected out;
  for (const ObjectStore::Entry& entry : found) {
    const int64_t age_ns = now_ns - entry.modified_ns;
    const bool snapshot = entry.key.starts_with(kSnapshotPrefix);
    if (snapshot) {
      const uint64_t number = parse_snapshot_key(entry.key);
      if (number == 0 || number >= newest->number || age_ns < options.snapshots_kept_ns) continue;
    } else {
      const bool fresh = parse_fresh_key(entry.key).has_value();
      if (age_ns < options.orphans_kept_ns || is_live(*newest, entry.key)) continue;
      if (buried.contains(entry.key) || (!fresh && !entry.key.starts_with("m/"))) continue;
    }
    HEARTH_KILL_POINT("collect.before_orphan");
    HEARTH_RETURN_IF_ERROR(bucket.remove(entry.key));
    ++(snapshot ? out.snapshots : out.orphans);
  }
  return out;
}

}  // namespace hearth::storage
