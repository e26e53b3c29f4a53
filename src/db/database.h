#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/executor.h"
#include "base/memory_accountant.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "ingest/pipeline.h"
#include "objstore/bucket.h"
#include "query/engine.h"
#include "storage/remote_reading.h"
#include "storage/store.h"

namespace hearth {

/// What a process does with its bucket; processes of several roles share one.
enum class Role : uint8_t {
  all,      ///< Everything.
  write,    ///< Takes profiles and seals them; merges and deletes nothing.
  query,    ///< Answers queries from what is in the bucket; keeps nothing of its own.
  compact,  ///< Merges what all writers sealed, and deletes; keeps nothing of its own.
};
inline constexpr std::array<const char*, 4> kRoleNames = {"all", "write", "query", "compact"};
[[nodiscard]] constexpr const char* role_name(Role role) {
  return kRoleNames[static_cast<size_t>(role)];
}
[[nodiscard]] constexpr bool takes_profiles(Role role) {
  return role == Role::all || role == Role::write;
}

/// Composition root of the library: builds, opens, recovers and closes store, write pipeline and
/// query engine, in that order, and runs maintenance. Thread-safe after open().
class Database {
 public:
  struct Options {
    Role role = Role::all;
    /// Not `all`: how often the bucket is looked at for what other processes made.
    int64_t poll_interval_ns = 5'000'000'000;
    std::string data_dir = "./hearth-data";  ///< Not needed by roles that keep nothing.
    std::string bucket;      ///< A directory or s3://bucket/prefix; empty: `data_dir`/bucket.
    objstore::S3Options s3;  ///< For the latter.
    size_t memory_limit_bytes = 0;      ///< 0: half of what the machine or cgroup has.
    uint64_t dictionary_max_bytes = 0;  ///< 0: half of memory_limit_bytes.
    uint64_t seal_bytes = 0;            ///< 0: a 64th of memory_limit_bytes, 32 to 128 MiB.
    /// 0: ten minutes where the bucket is in data_dir and nobody else reads it, else a minute.
    int64_t seal_interval_ns = 0;
    /// Rows that may wait for the bucket. 0: four times seal_bytes, at least 256 MiB.
    uint64_t spool_bytes = 0;
    bool ack_object = false;  ///< Writes are answered when their segment is in the bucket.
    int64_t ack_interval_ns = 500'000'000;
    storage::Retention
        retention;  ///< bytes_max 0: the smaller of 50 GiB and a quarter of the disk.
    bool side_data_in_days = false;  ///< Whether day segments keep it.
    ingest::Limits limits;
    const Clock* clock = nullptr;  ///< nullptr: the machine's.
    Random* random = nullptr;
    FileSystem* files = nullptr;
    uint64_t cache_bytes = 1ULL << 30;  ///< Of segments of a remote bucket, on disk; 0: none.
    size_t symbol_cache_bytes = 0;      ///< 0: an eighth of memory_limit_bytes, at most 256 MiB.
    bool maintenance_thread = true;     ///< Off in simulation and tests, which call store().step().
  };
  [[nodiscard]] static Result<std::unique_ptr<Database>> open(Options options);
  ~Database();

  [[nodiscard]] storage::Store& store();
  [[nodiscard]] ingest::Pipeline& pipeline();
  [[nodiscard]] query::Engine& engine();
  [[nodiscard]] const objstore::Bucket& bucket() const;
  /// Nothing when the bucket is local.
  [[nodiscard]] std::optional<storage::RemoteReading::Stats> remote_reading() const;
  [[nodiscard]] MemoryAccountant& memory();
  [[nodiscard]] const Clock& clock() const;
  [[nodiscard]] const Options& options() const;

 private:
  Database();
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth
