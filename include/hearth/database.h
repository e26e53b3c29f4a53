#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/labels.h"
#include "hearth/profile.h"
#include "hearth/profile_type.h"
#include "hearth/query.h"
#include "hearth/result.h"
#include "hearth/tenant.h"

namespace hearth {

/// What belongs to one write.
struct WriteOptions {
  /// Of the series: `service_name` and whatever else distinguishes it.
  std::vector<Label> labels = {};
  /// First part of the profile type, such as "process_cpu". Empty: a `__name__` label, else what
  /// the sample types suggest ("cpu" → process_cpu, "inuse_space" → memory, …).
  std::string name = {};
  int64_t time_ns = 0;  ///< Start, UTC; 0: as the profile says, now when it does not.
  /// The same key again within 15 minutes is a retry and counts once. Empty: for bytes with a start
  /// time their content is the key, else each write counts.
  std::string idempotency_key = {};
  Tenant tenant = Tenant::anonymous();
};

struct WriteOutcome {
  size_t stored = 0;      ///< Series written; 0 for a profile without samples.
  size_t duplicates = 0;  ///< Recognised as retries.
};

/// A hearth database inside this process, without a server: the same store, files and durability as
/// `hearth serve`, which can open the directory afterwards. One process has it open at a time.
///
/// Threads:  open() and the destructor by one thread; between them every call from any thread, at
///           the same time. Calls block. Two threads of its own seal and compact.
/// Lifetime: the destructor waits for running maintenance, not for calls of other threads: these
///           must have returned. What was acknowledged is durable before that, so that nothing is
///           lost without it. Answers own their data and may outlive the database.
/// Errors:   values of Result; bad input never throws or aborts. A failed fsync and a broken
///           invariant end the process: the next open() recovers what was acknowledged.
class EmbeddedDatabase {
 public:
  struct Options {
    std::string data_dir = "./hearth-data";  ///< Made when missing.
    /// Where segments go: a directory or s3://bucket/prefix, with the credentials of the usual AWS
    /// variables and files; empty: `data_dir`/bucket.
    std::string bucket = {};
    size_t memory_limit_bytes = 0;  ///< 0: half of what the machine or cgroup has.
    uint64_t retention_bytes = 0;   ///< 0: the smaller of 50 GiB and a quarter of the disk.
    int64_t retention_age_ns = 0;   ///< 0: nothing is forgotten for its age.
    int64_t seal_interval_ns = 60'000'000'000;
    bool maintenance = true;   ///< false: only seal() seals, and nothing compacts.
    size_t query_threads = 0;  ///< That merges may use besides the caller's.
    /// "debug", "info", "warn" or "error": lines on standard error from this level on. Of the whole
    /// process.
    std::string log_level = "warn";
  };
  /// Opens or creates, and recovers. `conflict` when another process has the directory open,
  /// `invalid_argument` for options that make no sense.
  [[nodiscard]] static Result<std::unique_ptr<EmbeddedDatabase>> open(Options options);
  ~EmbeddedDatabase();
  EmbeddedDatabase(const EmbeddedDatabase&) = delete;
  EmbeddedDatabase& operator=(const EmbeddedDatabase&) = delete;

  /// Stores a pprof profile, or folded text (`frame;frame VALUE` lines, kept as samples:count),
  /// compressed or not.
  /// Success: on stable storage. `invalid_argument` and `too_large` for what cannot be stored;
  /// `unavailable` (disk full, too much unsealed) is worth a retry.
  [[nodiscard]] Result<WriteOutcome> write(std::string_view bytes, const WriteOptions& options);
  /// The same for a batch, which is validated first and then normalised in place: clear() it before
  /// it is filled again. What its strings point to must live until this returns.
  [[nodiscard]] Result<WriteOutcome> write(ProfileBatch& batch, const WriteOptions& options);

  /// Seals what is in the head into segments of the bucket; returns how many profiles. Happens by
  /// itself after `seal_interval_ns`. Queries see unsealed profiles too.
  [[nodiscard]] Result<uint64_t> seal();

  /// Types of what was stored, sorted.
  [[nodiscard]] Result<std::vector<ProfileType>> profile_types(const Tenant& tenant,
                                                               TimeRange range);
  /// Values are exact. Beyond `max_nodes` the smallest nodes are summed in children named "other";
  /// <= 0: every node.
  [[nodiscard]] Result<FlameGraph> flame_graph(const Query& query, int64_t max_nodes = 8192);
  [[nodiscard]] Result<FunctionTable> function_table(const Query& query);
  /// Sums over time. The query's range needs both ends.
  [[nodiscard]] Result<SeriesAnswer> series(const SeriesQuery& query);

 private:
  EmbeddedDatabase();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
