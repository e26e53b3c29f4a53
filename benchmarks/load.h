#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "db/database.h"
#include "need.h"
#include "stream.h"

/// Load on a database in this process.
namespace hearth::bench {

/// Opened, or the end of the benchmark.
std::unique_ptr<Database> open_database(Database::Options options);

/// Runs `work(i)` for every i below `count` on `threads` threads.
void in_parallel(size_t threads, size_t count, const std::function<void(size_t)>& work);

/// Prepares and commits a decoded profile, as a handler does; `raw` are the bytes it came from. The
/// time makes it a profile of its own. False when the store asks to come back later.
bool try_commit(Database& db, ProfileBatch& batch, std::string_view raw, const std::string& service,
                int64_t time_ns);
/// The same from a body: a pprof profile in gzip.
bool try_ingest(Database& db, const std::string& body, const std::string& service, int64_t time_ns);

/// What a paced run saw.
struct PacedLoad {
  std::vector<double> ack_us;  ///< From the moment a request was due: a late sender hides nothing.
  size_t refused = 0;
  double seconds = 0;
};
/// `rate` calls of `send(i)` a second, for `seconds` or until `stop`, from `threads` threads: each
/// at its own moment, whether the one before was answered or not. False counts as refused.
PacedLoad paced_load(size_t threads, double rate, double seconds,
                     const std::function<bool(size_t i)>& send, const std::atomic<bool>& stop);

}  // namespace hearth::bench
