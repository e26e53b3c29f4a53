#include "db/database.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/periodic_thread.h"
#include "base/worker_pool.h"
#include "hearth/version.h"
#include "storage/bucket_store.h"
#include "storage/disk_reserve.h"

namespace hearth {
namespace {

/// Below ingest and queries: a merge can wait, they cannot.
constexpr int kCompactionNice = 10;
/// Symbols or rollups of some hundred services.
constexpr size_t kSymbolCacheMost = size_t{256} << 20U;
constexpr auto kStepInterval = std::chrono::milliseconds(500);
/// While requests wait for seals.
constexpr auto kAckStepInterval = std::chrono::milliseconds(50);

/// True: go on.
bool done(const char* thread, const Status& status) {
  if (!status && status.error().code != ErrorCode::cancelled) {
    log::warn("maintenance step failed", {{"thread", thread}, {"error", status.error().message}});
  }
  return true;
}

/// Seals in one thread, compacts in another: merging a day must not hold up what bounds the head
/// (docs/architecture.md, "Threads").
class Maintenance {
 public:
  Maintenance(storage::Store& store, objstore::Bucket& bucket, const Database::Options& options)
      : cancel_(*options.clock, INT64_MAX),
        compaction_({.name = "compaction", .interval = kStepInterval, .nice = kCompactionNice},
                    [&store, this] { return done("compaction", store.compact_step(cancel_)); }),
        seal_({.name = "maintenance",
               .interval = options.ack_object ? kAckStepInterval : kStepInterval},
              [&store, &bucket] {
                bucket.step();
                return done("maintenance", store.step());
              }) {}
  ~Maintenance() { cancel_.cancel(); }
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;

 private:
  const CancelToken cancel_;
  PeriodicThread compaction_;
  PeriodicThread seal_;
};

}  // namespace

/// In the order of construction, so that destruction needs no code: maintenance ends before what it
/// works on.
struct Database::Impl {
  Options options;
  std::unique_ptr<MemoryAccountant> memory;
  std::unique_ptr<objstore::Bucket> bucket;
  std::unique_ptr<WorkerPool> commits;
  std::unique_ptr<storage::RemoteReading> remote;  ///< When the bucket is.
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<ingest::Pipeline> pipeline;
  std::unique_ptr<query::Engine> engine;
  std::unique_ptr<Maintenance> maintenance;
};

namespace {

/// 0, no limit, for a bucket elsewhere and when the file system does not tell its size.
uint64_t default_bytes_max(const Database::Options& options, const objstore::Bucket& bucket) {
  constexpr uint64_t kMost = 50ULL << 30U;
  if (bucket.remote()) return 0;
  (void)options.files->make_directories(options.bucket);
  const auto space = options.files->space(options.bucket);
  return space ? std::min(kMost, space->total_bytes / 4) : 0;
}

/// What waits is lost with this disk. A bucket on it is lost as well, and queries of this process
/// see what waits, so there only bytes and processor time count (docs/decisions/005).
int64_t default_seal_interval_ns(const Database::Options& options) {
  constexpr int64_t kMinute = 60'000'000'000;
  return options.bucket.empty() && options.role == Role::all ? 10 * kMinute : kMinute;
}

/// Of many services a seal writes all that they use, so it costs less the more rows each has.
uint64_t default_seal_bytes(const Database::Options& options) {
  return std::clamp<uint64_t>(options.memory_limit_bytes / 64, 32ULL << 20U, 128ULL << 20U);
}

void fill_defaults(Database::Options& options) {
  if (options.clock == nullptr) options.clock = &system_clock();
  if (options.random == nullptr) options.random = &system_random();
  if (options.files == nullptr) options.files = &posix_file_system();
  if (options.memory_limit_bytes == 0) options.memory_limit_bytes = machine_memory_bytes() / 2;
  if (options.dictionary_max_bytes == 0)
    options.dictionary_max_bytes = options.memory_limit_bytes / 2;
  if (options.symbol_cache_bytes == 0)
    options.symbol_cache_bytes = std::min(options.memory_limit_bytes / 8, kSymbolCacheMost);
  if (options.seal_bytes == 0) options.seal_bytes = default_seal_bytes(options);
  if (options.spool_bytes == 0)
    options.spool_bytes = std::max<uint64_t>(256ULL << 20U, 4 * options.seal_bytes);
  if (options.seal_interval_ns == 0) options.seal_interval_ns = default_seal_interval_ns(options);
  if (options.bucket.empty()) options.bucket = options.data_dir + "/bucket";
  // A profile that would be forgotten at once is refused: a 200 for it would be a lie.
  const int64_t longest_ns = options.retention.longest_age_ns();
  int64_t& oldest_ns = options.limits.reject_older_than_ns;
  if (longest_ns > 0 && (oldest_ns == 0 || oldest_ns > longest_ns)) oldest_ns = longest_ns;
}

// A bucket that is away now may come back; one that cannot do what is needed is refused.
Result<std::unique_ptr<objstore::Bucket>> open_bucket(const Database::Options& options) {
  if (takes_profiles(options.role))
    storage::DiskReserve::make_room(*options.files, options.data_dir);
  HEARTH_ASSIGN_OR_RETURN(
      auto bucket,
      objstore::Bucket::open(*options.files, *options.clock, *options.random,
                             {options.bucket, options.s3, options.role == Role::query}));
  const Status probed = bucket->probe();
  if (!probed && probed.error().code == ErrorCode::unimplemented) {
    return tl::unexpected(probed.error());
  }
  if (!probed) {
    log::warn("the bucket does not answer as it should; it is tried again",
              {{"bucket", bucket->location()}, {"error", probed.error().message}});
  }
  return bucket;
}

std::unique_ptr<storage::RemoteReading> open_remote_reading(const Database::Options& options,
                                                            const objstore::Bucket& bucket,
                                                            MemoryAccountant& memory) {
  if (!bucket.remote()) return nullptr;
  // The store does it, too, but comes later; it tells what is wrong when this fails.
  (void)options.files->make_directories(options.data_dir);
  return std::make_unique<storage::RemoteReading>(
      storage::RemoteReading::Options{.path = options.data_dir + "/blocks",
                                      .disk_bytes = options.cache_bytes,
                                      .requests = options.s3.connections_max,
                                      .memory = &memory});
}

Result<std::unique_ptr<storage::Store>> open_store(const Database::Options& options,
                                                   const objstore::Bucket& bucket,
                                                   storage::RemoteReading* remote,
                                                   MemoryAccountant& memory, Executor& commits) {
  storage::Store::Options store;
  if (remote != nullptr) store.remote = remote->reads();
  store.data_dir = options.data_dir;
  store.bucket = bucket.store();
  store.files = options.files;
  store.clock = options.clock;
  store.random = options.random;
  store.memory = &memory;
  store.commits = &commits;
  store.dictionary_max_bytes = options.dictionary_max_bytes;
  store.seal_bytes = options.seal_bytes;
  store.seal_interval_ns = options.seal_interval_ns;
  store.unsealed_max_bytes = options.spool_bytes;
  store.ack_object = options.ack_object;
  store.ack_interval_ns = options.ack_interval_ns;
  store.retention = options.retention;
  store.side_data_in_days = options.side_data_in_days;
  store.writer_version = std::string("hearth ") + version();
  store.role = role_name(options.role);
  store.shared = options.role != Role::all;
  store.merges = options.role == Role::all || options.role == Role::compact;
  store.poll_interval_ns = options.poll_interval_ns;
  if (!takes_profiles(options.role)) return storage::BucketStore::open(std::move(store));
  return storage::Store::open(std::move(store));
}

}  // namespace

Database::Database() : impl_(std::make_unique<Impl>()) {}
// Maintenance must not wait for a store that does not answer.
Database::~Database() {
  if (impl_->bucket) impl_->bucket->shut_down();
}

Result<std::unique_ptr<Database>> Database::open(Options options) {
  fill_defaults(options);
  auto db = std::unique_ptr<Database>(new Database());
  Impl& impl = *db->impl_;
  impl.options = std::move(options);
  impl.memory = std::make_unique<MemoryAccountant>(impl.options.memory_limit_bytes);
  HEARTH_ASSIGN_OR_RETURN(impl.bucket, open_bucket(impl.options));
  uint64_t& bytes_max = impl.options.retention.bytes_max;
  if (bytes_max == 0) bytes_max = default_bytes_max(impl.options, *impl.bucket);
  impl.commits = std::make_unique<WorkerPool>(
      WorkerPool::Options{.name = "commit", .threads = 1, .queue_max = 4, .patient = true});
  impl.remote = open_remote_reading(impl.options, *impl.bucket, *impl.memory);
  HEARTH_ASSIGN_OR_RETURN(impl.store, open_store(impl.options, *impl.bucket, impl.remote.get(),
                                                 *impl.memory, *impl.commits));
  impl.pipeline =
      std::make_unique<ingest::Pipeline>(*impl.store, *impl.options.clock, impl.options.limits);
  query::Engine::Options engine;
  engine.store = impl.store.get();
  engine.memory = impl.memory.get();
  engine.symbol_cache_bytes = impl.options.symbol_cache_bytes;
  impl.engine = std::make_unique<query::Engine>(engine);
  if (impl.options.maintenance_thread) {
    impl.maintenance = std::make_unique<Maintenance>(*impl.store, *impl.bucket, impl.options);
  }
  return db;
}

storage::Store& Database::store() {
  return *impl_->store;
}
ingest::Pipeline& Database::pipeline() {
  return *impl_->pipeline;
}
query::Engine& Database::engine() {
  return *impl_->engine;
}
const objstore::Bucket& Database::bucket() const {
  return *impl_->bucket;
}
std::optional<storage::RemoteReading::Stats> Database::remote_reading() const {
  if (!impl_->remote) return std::nullopt;
  return impl_->remote->stats();
}
MemoryAccountant& Database::memory() {
  return *impl_->memory;
}
const Clock& Database::clock() const {
  return *impl_->options.clock;
}
const Database::Options& Database::options() const {
  return impl_->options;
}

}  // namespace hearth
