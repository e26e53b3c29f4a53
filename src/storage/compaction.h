#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "hearth/object_store.h"
#include "storage/compaction_plan.h"
#include "storage/contents.h"
#include "storage/deletion_log.h"
#include "storage/manifest.h"
#include "storage/retention.h"
#include "storage/segment_merge.h"
#include "storage/store.h"

namespace hearth::storage {

/// Turns fresh segments into hour and day segments and deletes what they replace. Every step may be
/// the last of a process: outputs are orphans until the snapshot that names them exists, and the
/// catalog follows that snapshot, at the latest at the next start. Thread-safe; one run at a time.
class Compaction {
 public:
  struct Options {
    ObjectStore* bucket = nullptr;
    Contents* contents = nullptr;
    SegmentReaders* readers = nullptr;
    DeletionLog* deletions = nullptr;
    const Clock* clock = nullptr;
    Random* random = nullptr;
    MemoryAccountant* memory = nullptr;
    std::function<Status(const KvBatch&)> durable_write;
    std::string writer_version;
    uint64_t output_bytes = 64ULL << 20U;
    bool read_ahead = false;                 ///< Each read of the bucket is a request.
    uint64_t dataset_rows_max = UINT64_MAX;  ///< Of an output's dataset; memory may make it fewer.
    Retention retention;
    bool side_data_in_days = false;
    /// Other processes write to the bucket: each look lists their fresh segments, too, and nothing
    /// is deleted before its time.
    bool shared = false;
    bool merges = true;  ///< Otherwise step() only looks.
    int64_t poll_interval_ns = 5'000'000'000;
    /// Fresh segments of this process, which come in when their rows leave the head.
    std::function<bool(const std::string& key)> ours;
  };
  explicit Compaction(Options options);

  /// Where load_catalog() finds snapshots; `agreed` is the one that the contents agree with.
  [[nodiscard]] Manifest& manifest() { return manifest_; }
  /// `missing`: how many segments of it could not be read.
  void set_agreed(uint64_t snapshot, uint64_t missing) {
    agreed_ = snapshot;
    unreadable_count_ = missing;
  }

  /// What is due by the clock: hours and days that are over, old tombstones, orphans. Returns at
  /// once while another run is on. Without `may_merge`, when space is low, things are only deleted:
  /// a merge needs as much again until its inputs go.
  [[nodiscard]] Status step(bool may_merge, const CancelToken& cancel);
  /// Everything that is over, now; with `force` everything, up to day segments, and what they
  /// replace is deleted. Waits for another run.
  [[nodiscard]] Result<CompactOutcome> run(bool force, const CancelToken& cancel);

  /// Brings the contents to what the bucket says now. Returns at once while a run is on, which
  /// looks itself.
  [[nodiscard]] Status look();
  /// When that last succeeded, by the boot clock; INT64_MIN: never.
  [[nodiscard]] int64_t looked_at_ns() const { return looked_at_ns_; }
  /// Segments that are left out because they are damaged or lost.
  [[nodiscard]] uint64_t unreadable() const { return unreadable_count_; }

  [[nodiscard]] CompactionStats stats() const;

 private:
  [[nodiscard]] Status poll(int64_t boot_ns);
  [[nodiscard]] Status agree();
  [[nodiscard]] Status adopt(const std::vector<ObjectStore::Entry>& listed);
  [[nodiscard]] Status take(CatalogChange change, const Snapshot& snapshot);
  [[nodiscard]] Status compact_hours(int64_t over_before_ns, const CancelToken& cancel,
                                     CompactOutcome& outcome);
  [[nodiscard]] Status compact_days(int64_t over_before_ns, bool force, const CancelToken& cancel,
                                    CompactOutcome& outcome);
  [[nodiscard]] Status run_until_done(const std::function<std::vector<CompactionJob>()>& plan,
                                      const CancelToken& cancel, CompactOutcome& outcome);
  [[nodiscard]] Status run_jobs(std::vector<CompactionJob> jobs, const CancelToken& cancel,
                                CompactOutcome& outcome);
  [[nodiscard]] Status run_job(const CompactionJob& job, const CancelToken& cancel,
                               CompactOutcome& outcome);
  [[nodiscard]] Result<std::vector<std::unique_ptr<OpenSegment>>> open_inputs(
      const CompactionJob& job);
  [[nodiscard]] Status store_output(MergedSegment output, std::vector<SegmentEntry>& entries,
                                    Manifest::Change& change);
  [[nodiscard]] Status go_live(const Manifest::Change& change, std::vector<SegmentEntry> entries);
  void count(const CompactOutcome& job, CompactOutcome& outcome);
  [[nodiscard]] Status retain(const CancelToken& cancel, CompactOutcome& outcome);
  [[nodiscard]] Status check_deletions(const DeletionLog::List& applied);
  [[nodiscard]] Status erase_deleted(const CancelToken& cancel, CompactOutcome& outcome);
  [[nodiscard]] Result<bool> holds_deleted(const SegmentEntry& entry,
                                           std::span<const Deletion> deletions) const;
  [[nodiscard]] Status remove_segments(const std::vector<std::string>& keys,
                                       CompactOutcome& outcome);
  [[nodiscard]] Status commit(const Manifest::Change& change);
  [[nodiscard]] Status collect(bool at_once, CompactOutcome& outcome);
  [[nodiscard]] Status collect_when_due();
  [[nodiscard]] Status merge_when_due(bool may_merge, const CancelToken& cancel);
  [[nodiscard]] std::vector<SegmentEntry> live() const;
  [[nodiscard]] bool hours_are_due(int64_t hour_ns) const;
  void set_aside(const std::string& key);
  [[nodiscard]] Status pass_over(const std::string& key, const Error& error);

  const Options options_;
  Manifest manifest_;
  MergeLimits limits_;
  mutable std::mutex mutex_;
  uint64_t agreed_ = 0;                ///< Number of the snapshot that the contents agree with.
  int64_t hours_done_ns_ = INT64_MIN;  ///< Hours that begin before it were compacted.
  int64_t days_done_ns_ = INT64_MIN;
  int64_t next_collect_ns_ = INT64_MIN;  ///< By the boot clock.
  int64_t next_retain_ns_ = INT64_MIN;
  int64_t next_orphans_ns_ = INT64_MIN;
  int64_t retry_at_ns_ = INT64_MIN;
  std::set<std::string, std::less<>> damaged_;  ///< Inputs that could not be read.
  std::vector<std::string> unreadable_;         ///< Found damaged by a look; not looked at again.
  int64_t next_poll_ns_ = INT64_MIN;
  bool polls_fail_ = false;
  std::atomic<int64_t> looked_at_ns_ = INT64_MIN;
  std::atomic<uint64_t> unreadable_count_ = 0;

  std::atomic<uint64_t> jobs_ = 0, failures_ = 0, profiles_ = 0, duplicates_ = 0, bytes_in_ = 0,
                        bytes_out_ = 0, objects_removed_ = 0, damaged_inputs_ = 0,
                        expired_profiles_ = 0, expired_segments_ = 0, deleted_profiles_ = 0;
  std::atomic<bool> running_ = false;
};

}  // namespace hearth::storage
