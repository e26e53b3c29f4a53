#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/memory_accountant.h"
#include "base/worker_pool.h"
#include "storage/cached_reader.h"

namespace hearth::storage {

/// What reading the segments of a remote bucket needs, in one piece: the cache, the threads that
/// wait for the bucket, and what hands requests to them. It outlives the store that uses it;
/// destroying it waits for requests under way.
class RemoteReading {
 public:
  struct Options {
    std::string path;         ///< Folder of the cache on disk.
    uint64_t disk_bytes = 0;  ///< Its budget; 0: only memory is used.
    size_t requests = 16;     ///< At a time.
    MemoryAccountant* memory = nullptr;
  };
  /// A cache that cannot be opened is done without, which is logged.
  explicit RemoteReading(const Options& options);

  [[nodiscard]] RemoteReads reads() { return {&cache_, &fetcher_, &threads_, requests_}; }
  struct Stats {
    BlockCache::Stats cache;
    RangeFetcher::Stats fetches;
  };
  [[nodiscard]] Stats stats() const { return {cache_.stats(), fetcher_.stats()}; }

 private:
  const size_t requests_;
  BlockCache cache_;
  WorkerPool threads_;  ///< Their tasks use the cache.
  RangeFetcher fetcher_;
};

}  // namespace hearth::storage
