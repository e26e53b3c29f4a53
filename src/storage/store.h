#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "hearth/labels.h"
#include "hearth/object_store.h"
#include "hearth/profile.h"
#include "hearth/tenant.h"
#include "storage/cached_reader.h"
#include "storage/dataset.h"
#include "storage/retention.h"

namespace hearth::storage {

class DeletionLog;

/// One profile of a request, after the write pipeline: a label set and the samples of a batch that
/// belong to it.
struct AppendProfile {
  const LabelSet* series = nullptr;  ///< Stored labels, `service_name` and `__name__` included.
  const ProfileBatch* batch =
      nullptr;  ///< Normalised. Several profiles may share one batch (label splits).
  std::span<const uint32_t> samples;  ///< Samples of `batch` that belong to this series.
  /// Identity for retries (docs/write_pipeline.md); nullopt: never deduplicated. Random ids are
  /// given where absent.
  std::optional<Id128> id;
};

struct AppendOutcome {
  size_t stored = 0;
  size_t duplicates = 0;  ///< Retries recognised by their id: acknowledged, not counted again.
};

/// What a compaction did.
struct CompactOutcome {
  uint64_t jobs = 0, segments_in = 0, segments_out = 0, bytes_in = 0, bytes_out = 0;
  uint64_t profiles = 0;    ///< Written to merged segments, once per level.
  uint64_t duplicates = 0;  ///< Dropped: the same profile id again.
  uint64_t objects_removed = 0;
  uint64_t expired = 0;  ///< Profiles that retention forgot.
  uint64_t deleted = 0;  ///< Profiles that somebody asked to delete.
};

/// Counters and gauges of compaction, since the process began where they are totals.
struct CompactionStats {
  struct Level {
    uint64_t segments = 0, bytes = 0;
  };
  std::array<Level, 3> levels;  ///< Live segments: fresh, hours, days.
  uint64_t snapshot = 0;        ///< Number of the newest one.
  uint64_t tombstones = 0;      ///< Objects that wait to be deleted.
  uint64_t jobs_total = 0, failures_total = 0, profiles_total = 0, duplicates_total = 0;
  uint64_t bytes_in_total = 0, bytes_out_total = 0, objects_removed_total = 0;
  uint64_t expired_profiles_total = 0, expired_segments_total = 0;
  uint64_t deletions = 0, deleted_profiles_total = 0;  ///< In force; removed by merges.
  uint64_t damaged_inputs = 0;  ///< Segments that stay as they are because they cannot be read.
  bool running = false;
};

/// Counters and gauges for /metrics and the Status page.
struct StoreStats {
  uint64_t profiles_total = 0, duplicates_total = 0, rows_total = 0;
  uint64_t head_profiles = 0, head_bytes = 0;
  uint64_t head_dictionaries = 0;  ///< That take rows.
  uint64_t dictionary_bytes = 0;   ///< Of these, and of those that wait for a seal or a reader.
  uint64_t epochs_shed_total = 0;  ///< Ended before their time, for want of memory.
  uint64_t segments = 0, segment_bytes = 0, seals_total = 0, seal_failures_total = 0,
           sealed_profiles_total = 0;
  uint64_t unsealed_max_bytes = 0, seals_pending = 0;    ///< Pending: cut, not in the bucket yet.
  bool seals_fail = false;                               ///< The last try did.
  uint64_t log_dropped_bytes = 0, log_lost_changes = 0;  ///< At this start; docs/kv_layout.md.
  uint64_t writes_queued = 0;                            ///< That wait for the commit thread.
  bool compared = true;  ///< False until the bucket could be read once in this life.
  uint64_t quarantined_rows_total = 0, corrupt_objects_total = 0, kv_write_groups_total = 0;
  CompactionStats compaction;
};

/// Head ∪ segments: everything durable. Thread-safe.
class Store {
 public:
  struct Options {
    std::string data_dir;  ///< RocksDB in data_dir/db, lock and owner file in data_dir.
    std::shared_ptr<ObjectStore> bucket;
    FileSystem* files = nullptr;
    const Clock* clock = nullptr;
    Random* random = nullptr;
    MemoryAccountant* memory = nullptr;
    uint64_t reserve_bytes = 256ULL << 20;      ///< Held back on the disk, at most 5 % of it.
    uint64_t seal_bytes = 32ULL << 20;          ///< Seal when the head holds this many row bytes,
    int64_t seal_interval_ns = 60'000'000'000;  ///< or its oldest row is this old.
    /// Of rows that wait for the bucket; above it append answers `unavailable`.
    uint64_t unsealed_max_bytes = 256ULL << 20;
    /// append answers only when the segment that holds the profiles is in the bucket. Such segments
    /// are sealed as soon as somebody waits, but for this long after the one before.
    bool ack_object = false;
    int64_t ack_interval_ns = 500'000'000;
    int64_t epoch_max_ns = 3'600'000'000'000;
    uint64_t epoch_max_nodes = 1'000'000;
    /// Of all dictionaries. Above three quarters the epochs of the coldest services end and are
    /// sealed; at the limit append answers `unavailable` until that is done.
    uint64_t dictionary_max_bytes = 1ULL << 30;
    int64_t retry_window_ns = 900'000'000'000;
    Retention retention;                          ///< What is forgotten; by default nothing.
    bool side_data_in_days = false;               ///< Whether day segments keep side data.
    uint64_t merged_segment_bytes = 64ULL << 20;  ///< What compaction aims at; twice that at most.
    /// Of a dataset that compaction writes; memory.limit() may make it fewer.
    uint64_t dataset_rows_max = UINT64_MAX;
    /// Other processes write to this bucket or merge it: look at it this often, for what they made.
    bool shared = false;
    bool merges = true;  ///< Compaction, deletion and retention are this process's work.
    int64_t poll_interval_ns = 5'000'000'000;
    std::string role = "all";  ///< For the claim of a writer's id.
    RemoteReads remote;        ///< Through what segments are read when the bucket is not local.
    std::string writer_version;
    /// One thread, on which writes become durable; nullptr: the thread that appends. Outlives the
    /// store.
    Executor* commits = nullptr;
  };
  /// Opens or creates, recovers what was acknowledged, finishes seals in flight. `conflict` when
  /// another process owns data_dir.
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(Options options);
  virtual ~Store() = default;

  /// Stores all profiles or none, durably (one synced batch, shared with concurrent callers).
  /// Success means: on stable storage, with `ack_object` also in the bucket. Without that, an error
  /// may come after the profiles were stored; sent again they count once.
  [[nodiscard]] virtual Result<AppendOutcome> append(const Tenant& tenant,
                                                     std::span<const AppendProfile> profiles) = 0;
  /// The same without waiting: on success `done` is called once with the outcome, on any thread,
  /// perhaps before this returns; on an error it is not called. The profiles are not read any more
  /// when this returns. With `ack_object` it returns late; `encoded`, if set, is called as soon as
  /// the profiles are no longer read, so that their buffers can serve others meanwhile.
  using AppendDone = std::function<void(Result<AppendOutcome>)>;
  [[nodiscard]] virtual Status append_later(const Tenant& tenant,
                                            std::span<const AppendProfile> profiles,
                                            const std::function<void()>& encoded, AppendDone done);

  struct ViewQuery {
    int64_t t_min_ns = INT64_MIN,
            t_max_ns = INT64_MAX;        ///< Inclusive range of profile start times.
    std::optional<std::string> service;  ///< Exact service when the selector fixes one.
  };
  struct View {
    std::vector<std::shared_ptr<const Dataset>>
        datasets;                      ///< Each accepted profile occurs in exactly one.
    std::vector<std::string> partial;  ///< Reasons why something is missing; empty = complete.
  };
  /// One consistent view: taken under one lock, it never changes while a query uses it.
  [[nodiscard]] virtual Result<View> view(const Tenant& tenant, const ViewQuery& query) = 0;

  /// Seals everything that is in the head now; returns the number of profiles sealed.
  [[nodiscard]] virtual Result<uint64_t> seal() = 0;
  /// One bounded piece of background work (seal when due); call about once a second. Killable
  /// anywhere.
  [[nodiscard]] virtual Status step() = 0;
  /// Merges segments of hours and days that are over and deletes what nobody needs any more; with
  /// `force` everything, up to day segments, ages ignored, replaced objects deleted at once (right
  /// only while no other process reads the bucket). Runs to completion or the first error; killable
  /// anywhere, and safe beside everything else.
  [[nodiscard]] virtual Result<CompactOutcome> compact(bool force, const CancelToken& cancel);
  /// What compaction has to do now, which can take minutes: call about once a second, in a thread
  /// of its own.
  [[nodiscard]] virtual Status compact_step(const CancelToken& cancel);
  [[nodiscard]] virtual StoreStats stats() const = 0;
  /// Where profiles are asked to be deleted: views leave them out at once, merges remove them.
  /// nullptr when this store cannot.
  [[nodiscard]] virtual DeletionLog* deletions() { return nullptr; }
  /// Small durable values: settings, short links. Keys are (kind, tenant, name); nullopt = absent.
  [[nodiscard]] virtual Result<std::optional<std::string>> meta_get(std::string_view kind,
                                                                    const Tenant& tenant,
                                                                    std::string_view name) = 0;
  [[nodiscard]] virtual Status meta_put(std::string_view kind, const Tenant& tenant,
                                        std::string_view name, std::string_view value) = 0;
  /// Why appends are refused now (disk full, read-only, unsealed cap), or nullopt.
  [[nodiscard]] virtual std::optional<std::string> not_ready_reason() const = 0;
};

}  // namespace hearth::storage
