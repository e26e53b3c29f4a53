#include "storage/compaction.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/fault_point.h"
#include "base/log.h"
#include "storage/garbage.h"
#include "storage/masked_dataset.h"
#include "storage/read_ahead.h"
#include "storage/retention_plan.h"

namespace hearth::storage {
namespace {

constexpr int64_t kMinute = 60'000'000'000;
/// Profiles of an hour arrive a little later than they start: agents send what they took.
constexpr int64_t kHourGrace = 5 * kMinute;
constexpr int64_t kDayGrace = 3 * kHourNs;
/// With more fresh segments than this, they are merged before their hour is over.
constexpr uint64_t kFreshMax = 500;
constexpr int64_t kCollectEvery = 5 * kMinute;
constexpr int64_t kRetainEvery = 5 * kMinute;
/// A merge that took longer is dropped, long before its outputs count as orphans.
constexpr int64_t kJobMax = kHourNs;
constexpr int64_t kRetryAfter = kMinute;
constexpr int kRoundsMax = 8;

/// Decoded rows of one dataset may take an eighth of what the process may use.
MergeLimits limits_for(const MemoryAccountant& memory, uint64_t rows_max) {
  constexpr uint64_t kLeast = 32ULL << 20U;
  constexpr uint64_t kMost = 512ULL << 20U;
  constexpr uint64_t kRowBytes = 20;  // A key and two values.
  constexpr uint64_t kNodeBytes = 64;
  const uint64_t bytes = std::clamp<uint64_t>(memory.limit() / 8, kLeast, kMost);
  MergeLimits limits;
  limits.rows = std::min(bytes / kRowBytes, rows_max);
  limits.nodes = std::min(limits.nodes, bytes / kNodeBytes);
  return limits;
}

/// Which services of the job's window are too old; empty when none can be. A window that merging
/// brings together late may have expired before it was merged.
std::function<bool(const std::string&, const std::string&)> expired_in(const CompactionJob& job,
                                                                       const Retention& retention,
                                                                       int64_t now_ns) {
  const bool merged = std::ranges::all_of(
      job.inputs, [](const SegmentEntry& e) { return e.segment.level > 0 && !e.parts.empty(); });
  if (!merged || job.level == 0) return {};
  const int64_t end_ns = window_end(job.level, job.inputs.front().parts.front().t_min_ns);
  return [&retention, end_ns, now_ns](const std::string& tenant, const std::string& service) {
    return is_expired(retention, tenant, service, end_ns, now_ns);
  };
}

class Running {
 public:
  explicit Running(std::atomic<bool>& flag) : flag_(flag) { flag_ = true; }
  ~Running() { flag_ = false; }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

 private:
  std::atomic<bool>& flag_;
};

}  // namespace

Compaction::Compaction(Options options)
    : options_(std::move(options)),
      manifest_(*options_.bucket, *options_.random, *options_.clock, options_.writer_version),
      limits_(limits_for(*options_.memory, options_.dataset_rows_max)) {}

std::vector<SegmentEntry> Compaction::live() const {
  return options_.contents->segments(
      [&](const SegmentIdentity& s) { return !damaged_.contains(s.key); });
}

// A snapshot that is not the one the contents agree with: another process's, or our own whose
// commit was not known to have succeeded. Also what others sealed, or this process before it lost
// its disk, which a listing that lags did not show at the start. Listed first: what is deleted
// after the listing is in the snapshot that is read after it.
Status Compaction::agree() {
  HEARTH_RETURN_IF_ERROR(options_.deletions->refresh_when_due());
  HEARTH_ASSIGN_OR_RETURN(auto listed, list_fresh(*options_.bucket));
  std::erase_if(listed, [&](const ObjectStore::Entry& entry) {
    return options_.ours && options_.ours(entry.key);
  });
  HEARTH_RETURN_IF_ERROR(manifest_.refresh());
  HEARTH_RETURN_IF_ERROR(adopt(listed));
  const int64_t now_ns = options_.clock->boot_ns();
  looked_at_ns_ = now_ns;
  next_poll_ns_ = now_ns + options_.poll_interval_ns;
  return {};
}

// What cannot be asked now is asked again, with everything else. A segment that is damaged or lost
// costs readers that segment only, and they are told.
Status Compaction::adopt(const std::vector<ObjectStore::Entry>& listed) {
  const auto snapshot = manifest_.current();
  // Its rows are in the head until the seal ends, and must not be in a merged segment as well.
  for (const std::string& key : options_.contents->sealing()) {
    if (snapshot->absorbed.contains(key))
      return fail(ErrorCode::unavailable,
                  fmt::format("snapshot {} has merged {}, whose seal has not ended yet",
                              snapshot->number, key));
  }
  CatalogChange change =
      compare_catalog(options_.contents->identities(), *snapshot, *options_.bucket, listed,
                      unreadable_, options_.readers->remote());
  if (change.unreachable > 0) {
    return fail(ErrorCode::unavailable, fmt::format("{} segments of snapshot {} cannot be read",
                                                    change.unreachable, snapshot->number));
  }
  if (!change.lost.empty()) {
    // Perhaps others have merged and deleted them since.
    HEARTH_RETURN_IF_ERROR(manifest_.refresh());
    if (manifest_.current()->number != snapshot->number)
      return fail(ErrorCode::unavailable,
                  fmt::format("snapshot {} was replaced while it was read", snapshot->number));
  }
  unreadable_.insert(unreadable_.end(), change.damaged.begin(), change.damaged.end());
  unreadable_count_ = unreadable_.size() + change.lost.size();
  if (change.empty() && snapshot->number == agreed_) return {};
  return take(std::move(change), *snapshot);
}

Status Compaction::take(CatalogChange change, const Snapshot& snapshot) {
  KvBatch batch;
  add_catalog_change(change, snapshot, batch);
  HEARTH_RETURN_IF_ERROR(options_.durable_write(batch));
  options_.contents->replace(change.removed, std::move(change.added));
  for (const std::string& key : change.removed) options_.readers->retire(key);
  agreed_ = snapshot.number;
  return {};
}

Status Compaction::look() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  return lock ? agree() : Status{};
}

// Trouble and its end are told once, not with every look.
Status Compaction::poll(int64_t boot_ns) {
  if (boot_ns < next_poll_ns_) return {};
  next_poll_ns_ = boot_ns + options_.poll_interval_ns;
  const Status looked = agree();
  if (!looked && !polls_fail_) {
    log::warn("the bucket cannot be read; it is tried again", {{"error", looked.error().message}});
  } else if (looked && polls_fail_) {
    log::info("the bucket is read again");
  }
  polls_fail_ = !looked;
  return looked;
}

void Compaction::set_aside(const std::string& key) {
  if (!damaged_.insert(key).second) return;
  ++damaged_inputs_;
  log::error("a damaged segment stays as it is", {{"object", key}});
}

Result<std::vector<std::unique_ptr<OpenSegment>>> Compaction::open_inputs(
    const CompactionJob& job) {
  std::vector<std::unique_ptr<OpenSegment>> out;
  for (const SegmentEntry& entry : job.inputs) {
    const std::string& key = entry.segment.key;
    HEARTH_ASSIGN_OR_RETURN(auto object, options_.bucket->open(key));
    if (object && options_.read_ahead)
      object = std::make_unique<ReadAhead>(std::move(object), *options_.memory);
    auto segment = object ? OpenSegment::open(std::move(object), key)
                          : fail(ErrorCode::data_loss, fmt::format("{}: no such object", key));
    if (segment && (*segment)->directory().uuid != entry.segment.uuid)
      segment = fail(ErrorCode::data_loss, fmt::format("{}: another segment", key));
    if (!segment) {
      if (segment.error().code == ErrorCode::data_loss) set_aside(key);
      return tl::unexpected(segment.error());
    }
    out.push_back(std::move(*segment));
  }
  return out;
}

// The key has a fresh uuid in it: who finds it taken meets an attempt of its own.
Status Compaction::store_output(MergedSegment output, std::vector<SegmentEntry>& entries,
                                Manifest::Change& change) {
  HEARTH_KILL_POINT("compact.before_put");
  HEARTH_ASSIGN_OR_RETURN(const auto put,
                          options_.bucket->put_if_absent(output.listed.key, output.bytes));
  (void)put;
  HEARTH_KILL_POINT("compact.after_put");
  options_.readers->created(output.entry.segment, output.bytes);
  change.added.push_back(std::move(output.listed));
  entries.push_back(std::move(output.entry));
  return {};
}

// The snapshot is the commit; the catalog and what queries see follow it.
Status Compaction::go_live(const Manifest::Change& change, std::vector<SegmentEntry> entries) {
  const auto snapshot = manifest_.current();
  CatalogChange catalog;
  catalog.removed = change.removed;
  catalog.added = std::move(entries);
  KvBatch batch;
  add_catalog_change(catalog, *snapshot, batch);
  HEARTH_KILL_POINT("compact.before_catalog");
  HEARTH_RETURN_IF_ERROR(options_.durable_write(batch));
  HEARTH_KILL_POINT("compact.after_catalog");
  options_.contents->replace(catalog.removed, std::move(catalog.added));
  for (const std::string& key : catalog.removed) options_.readers->retire(key);
  agreed_ = snapshot->number;
  HEARTH_KILL_POINT("compact.after_switch");
  return {};
}

Status Compaction::commit(const Manifest::Change& change) {
  HEARTH_ASSIGN_OR_RETURN(const auto outcome, manifest_.commit(change));
  if (outcome == Manifest::Outcome::committed) return {};
  HEARTH_RETURN_IF_ERROR(agree());
  return fail(ErrorCode::conflict, "compaction: another process committed first");
}

void Compaction::count(const CompactOutcome& job, CompactOutcome& outcome) {
  outcome.jobs += job.jobs;
  outcome.segments_in += job.segments_in;
  outcome.segments_out += job.segments_out;
  outcome.bytes_in += job.bytes_in;
  outcome.bytes_out += job.bytes_out;
  outcome.profiles += job.profiles;
  outcome.duplicates += job.duplicates;
  outcome.expired += job.expired;
  outcome.deleted += job.deleted;
  expired_profiles_ += job.expired;
  deleted_profiles_ += job.deleted;
  jobs_ += job.jobs;
  profiles_ += job.profiles;
  duplicates_ += job.duplicates;
  bytes_in_ += job.bytes_in;
  bytes_out_ += job.bytes_out;
}

Status Compaction::run_job(const CompactionJob& job, const CancelToken& cancel,
                           CompactOutcome& outcome) {
  const int64_t began_ns = options_.clock->boot_ns();
  HEARTH_ASSIGN_OR_RETURN(const auto segments, open_inputs(job));
  std::vector<SegmentMerge::Input> inputs;
  Manifest::Change change;
  for (size_t i = 0; i < segments.size(); ++i) {
    inputs.push_back({job.inputs[i].segment.key, segments[i].get()});
    change.removed.push_back(job.inputs[i].segment.key);
  }
  SegmentMerge::Options options;
  options.level = job.level;
  options.window_ns = job.level == 1 ? kHourNs : kDayNs;
  options.keep_ids = job.level == 1;
  options.keep_side = job.level == 1 || options_.side_data_in_days;
  options.drop = expired_in(job, options_.retention, options_.clock->wall_ns());
  const auto deletions = options_.deletions->current();
  options.deletions = deletions;
  options.output_bytes = options_.output_bytes;
  options.output_max_bytes = 2 * options_.output_bytes;
  options.limits = limits_;
  options.writer_version = options_.writer_version;
  options.random = options_.random;
  options.memory = options_.memory;
  options.cancel = cancel;
  std::vector<SegmentEntry> entries;
  SegmentMerge merge(std::move(inputs), std::move(options), [&](MergedSegment output) {
    return store_output(std::move(output), entries, change);
  });
  if (const Status merged = merge.run(); !merged) {
    if (!merge.failed_input().empty()) set_aside(merge.failed_input());
    return merged;
  }
  if (merge.deleted() > 0) HEARTH_RETURN_IF_ERROR(check_deletions(*deletions));
  if (options_.clock->boot_ns() - began_ns > kJobMax)
    return fail(ErrorCode::unavailable, "compaction: a job took more than an hour");
  HEARTH_RETURN_IF_ERROR(commit(change));
  CompactOutcome done;
  done.jobs = 1;
  done.segments_in = change.removed.size();
  done.segments_out = change.added.size();
  for (const SegmentEntry& entry : job.inputs) done.bytes_in += entry.segment.size;
  for (const SnapshotSegment& s : change.added) done.bytes_out += s.size;
  done.profiles = merge.profiles();
  done.duplicates = merge.duplicates();
  done.expired = merge.dropped();
  done.deleted = merge.deleted();
  count(done, outcome);
  log::info("segments merged", {{"level", int{job.level}},
                                {"segments_in", done.segments_in},
                                {"segments_out", done.segments_out},
                                {"profiles", done.profiles},
                                {"bytes_in", done.bytes_in},
                                {"bytes_out", done.bytes_out}});
  return go_live(change, std::move(entries));
}

// A deletion may be withdrawn, also elsewhere, while a merge runs that applies it.
Status Compaction::check_deletions(const DeletionLog::List& applied) {
  HEARTH_RETURN_IF_ERROR(options_.deletions->refresh());
  std::set<Id128> hold;
  for (const Deletion& d : *options_.deletions->current()) hold.insert(d.id);
  for (const Deletion& d : applied) {
    if (hold.contains(d.id)) continue;
    return fail(ErrorCode::conflict,
                fmt::format("compaction: deletion {} was withdrawn meanwhile", d.id.uuid()));
  }
  return {};
}

// A damaged input costs its job, not those after it; the next plan leaves the input out.
Status Compaction::run_jobs(std::vector<CompactionJob> jobs, const CancelToken& cancel,
                            CompactOutcome& outcome) {
  Status first;
  for (const CompactionJob& job : jobs) {
    HEARTH_RETURN_IF_ERROR(cancel.check());
    const Status done = run_job(job, cancel, outcome);
    if (done) continue;
    ++failures_;
    if (done.error().code != ErrorCode::data_loss) return done;
    log::warn("compaction of a job failed", {{"error", done.error().message}});
    if (first) first = done;
  }
  return first;
}

// After a damaged input the rest is planned again without it.
Status Compaction::run_until_done(const std::function<std::vector<CompactionJob>()>& plan,
                                  const CancelToken& cancel, CompactOutcome& outcome) {
  Status done;
  for (int round = 0; round < kRoundsMax; ++round) {
    auto jobs = plan();
    if (jobs.empty()) return {};
    done = run_jobs(std::move(jobs), cancel, outcome);
    if (done || done.error().code != ErrorCode::data_loss) return done;
  }
  return done;
}

Status Compaction::compact_hours(int64_t over_before_ns, const CancelToken& cancel,
                                 CompactOutcome& outcome) {
  PlanOptions options;
  options.over_before_ns = over_before_ns;
  return run_until_done([&] { return plan_hours(live(), options); }, cancel, outcome);
}

Status Compaction::compact_days(int64_t over_before_ns, bool force, const CancelToken& cancel,
                                CompactOutcome& outcome) {
  PlanOptions options;
  options.over_before_ns = over_before_ns;
  options.force = force;
  return run_until_done([&] { return plan_days(live(), options); }, cancel, outcome);
}

// Nothing is written: the next snapshot has them no more.
Status Compaction::remove_segments(const std::vector<std::string>& keys, CompactOutcome& outcome) {
  Manifest::Change change;
  change.removed = keys;
  const std::set<std::string> going(keys.begin(), keys.end());
  CompactOutcome done;
  for (const SegmentEntry& entry : options_.contents->segments(
           [&](const SegmentIdentity& s) { return going.contains(s.key); })) {
    for (const auto& part : entry.parts) done.expired += part.profiles;
  }
  HEARTH_KILL_POINT("retain.before_commit");
  HEARTH_RETURN_IF_ERROR(commit(change));
  HEARTH_KILL_POINT("retain.after_commit");
  count(done, outcome);
  expired_segments_ += keys.size();
  log::info("retention removed segments", {{"segments", keys.size()}, {"profiles", done.expired}});
  return go_live(change, {});
}

Status Compaction::retain(const CancelToken& cancel, CompactOutcome& outcome) {
  const Retention& retention = options_.retention;
  const bool by_age = retention.age_ns > 0 || !retention.rules.empty();
  const bool by_size =
      retention.bytes_max > 0 && options_.contents->totals().segment_bytes > retention.bytes_max;
  if (!by_age && !by_size) return {};
  const auto merged = options_.contents->segments([](const SegmentIdentity&) { return true; });
  RetentionPlan plan = plan_retention(merged, retention, options_.clock->wall_ns());
  if (!plan.removed.empty()) HEARTH_RETURN_IF_ERROR(remove_segments(plan.removed, outcome));
  std::erase_if(plan.reduced, [&](const CompactionJob& job) {
    return damaged_.contains(job.inputs[0].segment.key);
  });
  return run_jobs(std::move(plan.reduced), cancel, outcome);
}

// A segment that is damaged or gone, or of a version that this process does not read, costs itself.
Status Compaction::pass_over(const std::string& key, const Error& error) {
  switch (error.code) {
    case ErrorCode::data_loss:
    case ErrorCode::not_found:
      set_aside(key);
      return {};
    case ErrorCode::unimplemented:
      return {};
    default:
      return tl::unexpected(error);
  }
}

Result<bool> Compaction::holds_deleted(const SegmentEntry& entry,
                                       std::span<const Deletion> deletions) const {
  for (size_t i = 0; i < entry.parts.size(); ++i) {
    const SegmentEntry::Part& part = entry.parts[i];
    if (touching(deletions, part.tenant, part.service, part.t_min_ns, part.t_max_ns).empty())
      continue;
    HEARTH_ASSIGN_OR_RETURN(const auto reader, options_.readers->open(entry.segment));
    HEARTH_ASSIGN_OR_RETURN(const auto found,
                            deletions_of(*reader->dataset(i), deletions, *options_.deletions));
    if (!found.empty()) return true;
  }
  return false;
}

// Merged segments that hold deleted profiles are written again without them. Fresh ones wait until
// they are merged, as for retention.
Status Compaction::erase_deleted(const CancelToken& cancel, CompactOutcome& outcome) {
  const auto deletions = options_.deletions->current();
  if (deletions->empty()) return {};
  std::vector<CompactionJob> jobs;
  for (SegmentEntry& entry : live()) {
    if (entry.segment.level == 0 || entry.parts.empty()) continue;
    HEARTH_RETURN_IF_ERROR(cancel.check());
    const auto holds = holds_deleted(entry, *deletions);
    if (!holds) {
      HEARTH_RETURN_IF_ERROR(pass_over(entry.segment.key, holds.error()));
    } else if (*holds) {
      jobs.push_back({entry.segment.level, {std::move(entry)}});
    }
  }
  return run_jobs(std::move(jobs), cancel, outcome);
}

Status Compaction::collect(bool at_once, CompactOutcome& outcome) {
  GarbageOptions options;
  options.at_once = at_once;
  options.in_use = [&](const std::string& key) { return options_.readers->in_use(key); };
  HEARTH_ASSIGN_OR_RETURN(const Collected collected,
                          collect_tombstones(*options_.bucket, manifest_, options));
  outcome.objects_removed += collected.objects;
  objects_removed_ += collected.objects;
  // The snapshot without the tombstones has the same segments.
  return agree();
}

Status Compaction::collect_when_due() {
  const int64_t now_ns = options_.clock->boot_ns();
  if (now_ns >= next_collect_ns_) {
    next_collect_ns_ = now_ns + kCollectEvery;
    CompactOutcome outcome;
    if (!manifest_.current()->tombstones.empty()) HEARTH_RETURN_IF_ERROR(collect(false, outcome));
  }
  if (next_orphans_ns_ == INT64_MIN) next_orphans_ns_ = now_ns + kHourNs;
  if (now_ns < next_orphans_ns_) return {};
  next_orphans_ns_ = now_ns + kDayNs;
  HEARTH_ASSIGN_OR_RETURN(const Collected collected,
                          collect_orphans(*options_.bucket, manifest_, GarbageOptions{}));
  objects_removed_ += collected.orphans + collected.snapshots;
  return {};
}

bool Compaction::hours_are_due(int64_t hour_ns) const {
  return hour_ns > hours_done_ns_ || options_.contents->totals().levels[0].segments > kFreshMax;
}

Status Compaction::step(bool may_merge, const CancelToken& cancel) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return {};
  const int64_t boot_ns = options_.clock->boot_ns();
  // A failed look was told; without one nothing can be merged.
  if (options_.shared && !poll(boot_ns)) return {};
  if (!options_.merges || boot_ns < retry_at_ns_) return {};
  retry_at_ns_ = boot_ns + kRetryAfter;
  const Running running(running_);
  const Status merged = merge_when_due(may_merge, cancel);
  // What was replaced goes, whatever else fails.
  HEARTH_RETURN_IF_ERROR(cancel.check());
  HEARTH_RETURN_IF_ERROR(collect_when_due());
  if (merged) retry_at_ns_ = INT64_MIN;
  return merged;
}

Status Compaction::merge_when_due(bool may_merge, const CancelToken& cancel) {
  const int64_t boot_ns = options_.clock->boot_ns();
  const int64_t now_ns = options_.clock->wall_ns();
  const int64_t hour_ns = floor_time(now_ns - kHourGrace, kHourNs);
  const int64_t day_ns = floor_time(now_ns - kDayGrace, kDayNs);
  CompactOutcome outcome;
  if (may_merge && hours_are_due(hour_ns)) {
    HEARTH_RETURN_IF_ERROR(agree());
    const bool many = options_.contents->totals().levels[0].segments > kFreshMax;
    HEARTH_RETURN_IF_ERROR(compact_hours(many ? INT64_MAX : hour_ns, cancel, outcome));
    hours_done_ns_ = hour_ns;
  }
  if (may_merge && day_ns > days_done_ns_) {
    HEARTH_RETURN_IF_ERROR(agree());
    HEARTH_RETURN_IF_ERROR(compact_days(day_ns, false, cancel, outcome));
    days_done_ns_ = day_ns;
  }
  if (boot_ns >= next_retain_ns_) {
    HEARTH_RETURN_IF_ERROR(agree());
    HEARTH_RETURN_IF_ERROR(retain(cancel, outcome));
    if (may_merge) HEARTH_RETURN_IF_ERROR(erase_deleted(cancel, outcome));
    next_retain_ns_ = boot_ns + kRetainEvery;
  }
  return {};
}

Result<CompactOutcome> Compaction::run(bool force, const CancelToken& cancel) {
  if (!options_.merges) {
    return fail(ErrorCode::unimplemented, "compact: this process does not; ask the one that does");
  }
  const std::lock_guard lock(mutex_);
  const Running running(running_);
  HEARTH_RETURN_IF_ERROR(agree());
  const int64_t now_ns = options_.clock->wall_ns();
  CompactOutcome outcome;
  HEARTH_RETURN_IF_ERROR(
      compact_hours(force ? INT64_MAX : floor_time(now_ns - kHourGrace, kHourNs), cancel, outcome));
  HEARTH_RETURN_IF_ERROR(compact_days(force ? INT64_MAX : floor_time(now_ns - kDayGrace, kDayNs),
                                      force, cancel, outcome));
  HEARTH_RETURN_IF_ERROR(retain(cancel, outcome));
  HEARTH_RETURN_IF_ERROR(erase_deleted(cancel, outcome));
  HEARTH_RETURN_IF_ERROR(collect(force && !options_.shared, outcome));
  return outcome;
}

CompactionStats Compaction::stats() const {
  const auto snapshot = manifest_.current();
  CompactionStats stats;
  stats.snapshot = snapshot->number;
  stats.tombstones = snapshot->tombstones.size();
  stats.jobs_total = jobs_;
  stats.failures_total = failures_;
  stats.profiles_total = profiles_;
  stats.duplicates_total = duplicates_;
  stats.bytes_in_total = bytes_in_;
  stats.bytes_out_total = bytes_out_;
  stats.objects_removed_total = objects_removed_;
  stats.expired_profiles_total = expired_profiles_;
  stats.expired_segments_total = expired_segments_;
  stats.deleted_profiles_total = deleted_profiles_;
  stats.deletions = options_.deletions->current()->size();
  stats.damaged_inputs = damaged_inputs_;
  stats.running = running_;
  const Contents::Totals totals = options_.contents->totals();
  for (size_t i = 0; i < stats.levels.size(); ++i)
    stats.levels[i] = {totals.levels[i].segments, totals.levels[i].bytes};
  return stats;
}

}  // namespace hearth::storage
