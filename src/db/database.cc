#include "db/database.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "base/periodic_thread.h"
#include "hearth/version.h"
#include "storage/disk_reserve.h"

namespace hearth {
namespace {

constexpr auto kStepInterval = std::chrono::milliseconds(500);

/// Seal, later compact and retain, in one thread and small steps (docs/architecture.md, "Threads").
bool maintain(storage::Store& store, objstore::Bucket& bucket) {
  bucket.step();
  if (const Status status = store.step(); !status) {
    log::warn("maintenance step failed", {{"error", status.error().message}});
  }
  return true;
}

}  // namespace

/// In the order of construction, so that destruction needs no code: maintenance ends before what it
/// works on.
struct Database::Impl {
  Options options;
  std::unique_ptr<MemoryAccountant> memory;
  std::unique_ptr<objstore::Bucket> bucket;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<ingest::Pipeline> pipeline;
  std::unique_ptr<query::Engine> engine;
  std::unique_ptr<PeriodicThread> maintenance;
};

namespace {

void fill_defaults(Database::Options& options) {
  if (options.clock == nullptr) options.clock = &system_clock();
  if (options.random == nullptr) options.random = &system_random();
  if (options.files == nullptr) options.files = &posix_file_system();
  if (options.memory_limit_bytes == 0) options.memory_limit_bytes = machine_memory_bytes() / 2;
  if (options.bucket.empty()) options.bucket = options.data_dir + "/bucket";
}

// A bucket that is away now may come back; one that cannot do what is needed is refused.
Result<std::unique_ptr<objstore::Bucket>> open_bucket(const Database::Options& options) {
  storage::DiskReserve::make_room(*options.files, options.data_dir);
  HEARTH_ASSIGN_OR_RETURN(auto bucket,
                          objstore::Bucket::open(*options.files, *options.clock, *options.random,
                                                 {options.bucket, options.s3}));
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

Result<std::unique_ptr<storage::Store>> open_store(const Database::Options& options,
                                                   const objstore::Bucket& bucket,
                                                   MemoryAccountant& memory) {
  storage::Store::Options store;
  store.data_dir = options.data_dir;
  store.bucket = bucket.store();
  store.files = options.files;
  store.clock = options.clock;
  store.random = options.random;
  store.memory = &memory;
  store.seal_bytes = options.seal_bytes;
  store.seal_interval_ns = options.seal_interval_ns;
  store.writer_version = std::string("hearth ") + version();
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
  HEARTH_ASSIGN_OR_RETURN(impl.store, open_store(impl.options, *impl.bucket, *impl.memory));
  impl.pipeline =
      std::make_unique<ingest::Pipeline>(*impl.store, *impl.options.clock, impl.options.limits);
  query::Engine::Options engine;
  engine.store = impl.store.get();
  engine.memory = impl.memory.get();
  impl.engine = std::make_unique<query::Engine>(engine);
  if (impl.options.maintenance_thread) {
    impl.maintenance = std::make_unique<PeriodicThread>(
        PeriodicThread::Options{.name = "maintenance", .interval = kStepInterval},
        [&store = *impl.store, &bucket = *impl.bucket] { return maintain(store, bucket); });
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
