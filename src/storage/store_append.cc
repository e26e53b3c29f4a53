#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/fault_point.h"
#include "base/spare_pool.h"
#include "storage/head_side.h"
#include "storage/keys.h"
#include "storage/segment_format.h"
#include "storage/store_impl.h"

namespace hearth::storage {
namespace {

constexpr size_t kTypesMax = limit::kSampleTypes;
/// Retries of what waits already take no room in the spool: a disk that stalls must not end up with
/// every connection of the server.
constexpr uint64_t kWaitingMax = 1024;
constexpr size_t kRecordOverhead = sizeof(HeadRecord) + 128;
// Scratch space for more samples than this is freed after the request.
constexpr size_t kScratchSamplesMax = 65'536;

/// A batch of a request under one epoch: mapped once, whatever the number of profiles that share
/// it.
struct MappedBatch {
  const ProfileBatch* batch = nullptr;
  const Epoch* epoch = nullptr;
  std::vector<uint32_t> keys;
  std::string family;
};

/// Buffers of one request at a time, kept from request to request.
struct Scratch {
  symbols::MapScratch map;
  RowCollector collector;
  Rows rows;
  HeadSideCollector side_collector;
  SideTable side;
  std::vector<MappedBatch> mapped;
  size_t mapped_used = 0;
};

constexpr size_t kScratchKept = 8;

SparePool<Scratch>& spare_scratch() {
  static SparePool<Scratch> pool(kScratchKept);
  return pool;
}

/// The scratch space of a request, which is not kept when the request was large or did not get
/// through.
class ScratchUse {
 public:
  explicit ScratchUse(std::span<const AppendProfile> profiles)
      : large_(std::ranges::any_of(profiles, [](const AppendProfile& profile) {
          return profile.batch->samples.size() > kScratchSamplesMax;
        })) {
    scratch_->mapped_used = 0;
  }
  ~ScratchUse() {
    if (done_ && !large_) spare_scratch().give(std::move(scratch_));
  }
  Scratch& operator*() { return *scratch_; }
  void done() { done_ = true; }
  ScratchUse(const ScratchUse&) = delete;
  ScratchUse& operator=(const ScratchUse&) = delete;

 private:
  std::unique_ptr<Scratch> scratch_ = spare_scratch().take();
  const bool large_;
  bool done_ = false;
};

std::string family_of(const ProfileBatch& batch) {
  Family family;
  for (const ProfileBatch::ValueType& type : batch.sample_types) {
    family.types.push_back(
        {std::string(batch.strings[type.type]), std::string(batch.strings[type.unit])});
  }
  family.period = {std::string(batch.strings[batch.period_type.type]),
                   std::string(batch.strings[batch.period_type.unit])};
  return encode_family(family);
}

const MappedBatch& map_once(Scratch& scratch, const ProfileBatch& batch, Epoch& epoch) {
  for (size_t i = 0; i < scratch.mapped_used; ++i) {
    const MappedBatch& known = scratch.mapped[i];
    if (known.batch == &batch && known.epoch == &epoch) return known;
  }
  if (scratch.mapped_used == scratch.mapped.size()) scratch.mapped.emplace_back();
  MappedBatch& mapped = scratch.mapped[scratch.mapped_used++];
  mapped.batch = &batch;
  mapped.epoch = &epoch;
  epoch.map(batch, mapped.keys, scratch.map);
  mapped.family = family_of(batch);
  return mapped;
}

}  // namespace

/// One append on its way: what it writes, and what becomes visible when that is durable.
class StoreImpl::AppendWrite : public PendingWrite {
 public:
  AppendWrite(StoreImpl& store, const Tenant& tenant, std::span<const AppendProfile> profiles)
      : store_(store),
        tenant_(tenant),
        profiles_(profiles),
        now_ns_(store.options_.clock->boot_ns()) {}

  /// Services, ids, duplicates; takes no lock for long.
  Status plan();
  /// Maps, encodes and takes a place in the queue, under the locks of the services. From then on
  /// the profiles are not read any more, and the write may be over before this returns.
  Status enter_queue();
  AppendOutcome outcome() const { return {items_.size() - duplicates_, duplicates_}; }
  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t generation() const { return generation_; }

  void publish() override;

 private:
  struct Item {
    const AppendProfile* profile = nullptr;
    Service* service = nullptr;
    Id128 id;
    bool duplicate = false;
    std::shared_ptr<Epoch> epoch;
    std::unique_ptr<HeadRecord> record;
    uint64_t sequence = 0;
  };
  struct Delta {
    std::string key, value;
  };

  Status add_names();
  void find_duplicates();
  Status encode(Item& item, Scratch& scratch);
  void number_records();
  [[nodiscard]] size_t bytes_to_wait() const;
  void compose(uint64_t generation);
  [[nodiscard]] bool try_enqueue(uint64_t generation) noexcept;
  [[nodiscard]] bool mark_raced();
  void drop_duplicates();

  StoreImpl& store_;
  const Tenant& tenant_;
  const std::span<const AppendProfile> profiles_;
  const int64_t now_ns_;
  uint32_t tenant_number_ = 0;
  std::vector<Item> items_;
  std::vector<Service*> services_;  ///< Distinct, in locking order.
  std::vector<Delta> deltas_;
  size_t duplicates_ = 0;
  uint64_t rows_ = 0, bytes_ = 0, generation_ = 0;
  MemoryCharge waiting_;  ///< For the batch: a disk that stalls lets many wait.
};

// One durable write for all services that this request brings, not one for each.
Status StoreImpl::AppendWrite::add_names() {
  if (profiles_.size() < 2) return {};
  std::vector<std::string_view> names;
  names.reserve(profiles_.size());
  for (const AppendProfile& profile : profiles_) {
    const std::string_view name = profile.series->get(label::kServiceName);
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return store_.services_.add(names);
}

Status StoreImpl::AppendWrite::plan() {
  HEARTH_ASSIGN_OR_RETURN(tenant_number_, store_.tenants_.number(tenant_.id()));
  HEARTH_RETURN_IF_ERROR(add_names());
  items_.reserve(profiles_.size());
  for (const AppendProfile& profile : profiles_) {
    const size_t types = profile.batch->types();
    if (types == 0 || types > kTypesMax) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("append: got {} sample types; want 1 to {}", types, kTypesMax));
    }
    const std::string_view name = profile.series->get(label::kServiceName);
    HEARTH_ASSIGN_OR_RETURN(Service * service, store_.service_for(tenant_, tenant_number_, name));
    Item& item = items_.emplace_back();
    item.profile = &profile;
    item.service = service;
    item.id = profile.id ? *profile.id : random_uuid(*store_.options_.random);
    services_.push_back(service);
  }
  std::ranges::sort(services_, {}, [](const Service* s) { return s->service; });
  services_.erase(std::ranges::unique(services_).begin(), services_.end());
  find_duplicates();
  return {};
}

void StoreImpl::AppendWrite::find_duplicates() {
  std::set<Id128> seen;
  for (Item& item : items_) {
    if (!item.profile->id) continue;
    if (items_.size() > 1 && !seen.insert(item.id).second) item.duplicate = true;
  }
  const std::lock_guard lock(store_.order_mutex_);
  for (Item& item : items_) {
    if (!item.profile->id) continue;
    item.duplicate = item.duplicate || store_.retries_.contains(tenant_number_, item.id);
  }
}

Status StoreImpl::AppendWrite::encode(Item& item, Scratch& scratch) {
  const ProfileBatch& samples = *item.profile->batch;
  item.epoch = item.service->epoch;
  const MappedBatch& mapped = map_once(scratch, samples, *item.epoch);
  scratch.collector.collect(samples, item.profile->samples, mapped.keys, scratch.rows);
  if (scratch.rows.keys.size() > limit::kBlockRowsRead) {
    return fail(ErrorCode::too_large,
                fmt::format("append: a profile of {} different stacks; at most {} can be stored",
                            scratch.rows.keys.size(), limit::kBlockRowsRead));
  }
  scratch.side_collector.collect(samples, item.profile->samples, mapped.keys, scratch.rows,
                                 scratch.side);
  if (scratch.side.entries.size() > limit::kSideEntries) {
    return fail(ErrorCode::too_large,
                fmt::format("append: a profile with side data of {} samples; at most {} can be "
                            "stored",
                            scratch.side.entries.size(), limit::kSideEntries));
  }
  const std::string series = item.profile->series->encode();
  auto record = HeadRecord::parse(encode_head_record(
      {mapped.family, series, samples.time_ns, samples.duration_ns, samples.period, item.id},
      scratch.rows, scratch.side));
  HEARTH_CHECK(record, "a head record that this process encoded does not parse");
  item.record = std::move(*record);
  HEARTH_ASSIGN_OR_RETURN(
      item.record->charge,
      store_.options_.memory->charge(item.record->value.size() + kRecordOverhead, "append"));
  return {};
}

Status StoreImpl::AppendWrite::enter_queue() {
  std::vector<std::unique_lock<std::mutex>> locks;
  locks.reserve(services_.size());
  for (Service* service : services_) {
    locks.emplace_back(service->mutex);
    store_.roll_epoch(*service, now_ns_);
  }
  ScratchUse scratch(profiles_);
  for (Item& item : items_) {
    if (item.duplicate) continue;
    // On an error nothing was taken yet: what is new in the dictionary goes with the next delta.
    HEARTH_RETURN_IF_ERROR(encode(item, *scratch));
  }
  scratch.done();
  drop_duplicates();
  number_records();
  HEARTH_ASSIGN_OR_RETURN(waiting_, store_.options_.memory->charge(bytes_to_wait(), "append"));
  for (;;) {
    const uint64_t generation = store_.generation_;
    compose(generation);
    if (try_enqueue(generation)) return {};
    drop_duplicates();
  }
}

void StoreImpl::AppendWrite::drop_duplicates() {
  duplicates_ = 0;
  for (Item& item : items_) {
    if (!item.duplicate) continue;
    ++duplicates_;
    item.record.reset();
  }
}

// The dictionaries keep their new symbols as theirs to write until the batch has its place in the
// queue: what fails before costs no symbol.
void StoreImpl::AppendWrite::number_records() {
  for (Service* service : services_) {
    Epoch& epoch = *service->epoch;
    std::string delta = epoch.pending_delta();
    if (delta.empty()) continue;
    const DeltaKey key{epoch.identity().number, epoch.next_sequence()};
    deltas_.push_back({key.encode(), std::move(delta)});
  }
  for (Item& item : items_) {
    if (item.record) item.sequence = item.epoch->next_sequence();
  }
}

// The batch holds a second copy of all that is written.
size_t StoreImpl::AppendWrite::bytes_to_wait() const {
  size_t bytes = 0;
  for (const Delta& delta : deltas_) bytes += 2 * delta.value.size() + kRecordOverhead;
  for (const Item& item : items_) {
    if (item.record) bytes += item.record->value.size() + kRecordOverhead;
  }
  return bytes;
}

void StoreImpl::AppendWrite::compose(uint64_t generation) {
  batch.clear();
  rows_ = bytes_ = 0;
  generation_ = generation;
  for (const Delta& delta : deltas_) batch.put(KvFamily::head, delta.key, delta.value);
  const uint64_t slot = [&] {
    const std::lock_guard lock(store_.order_mutex_);
    return store_.retries_.slot();
  }();
  for (const Item& item : items_) {
    if (!item.record) continue;
    const RowKey key{generation, tenant_number_, item.service->service,
                     item.epoch->identity().number, item.sequence};
    if (HEARTH_FAIL_POINT("append.lose_row")) continue;
    batch.put(KvFamily::head, key.encode(), item.record->value);
    if (item.profile->id) {
      batch.put(KvFamily::meta, RetryKey{slot, tenant_number_, item.id}.encode(), {});
    }
    rows_ += item.record->rows;
    bytes_ += item.record->value.size();
  }
}

// Under order_mutex_: whether another request brought one of the ids since plan().
bool StoreImpl::AppendWrite::mark_raced() {
  bool raced = false;
  for (Item& item : items_) {
    if (!item.record || !item.profile->id) continue;
    if (!store_.retries_.contains(tenant_number_, item.id)) continue;
    item.duplicate = true;
    raced = true;
  }
  return raced;
}

// False when the generation changed or a retry came in between: then the batch is composed again.
// From the first id in the retry window on there is no way back: a retry would be acknowledged on
// the word of a request that was never written. So running out of memory here ends the process.
bool StoreImpl::AppendWrite::try_enqueue(uint64_t generation) noexcept {
  std::vector<Delta> composed;  // Freed after the lock: the batch has their bytes.
  const std::lock_guard lock(store_.order_mutex_);
  if (store_.generation_ != generation || mark_raced()) return false;
  for (const Item& item : items_) {
    if (!item.record) continue;
    if (item.profile->id) store_.retries_.insert(tenant_number_, item.id);
    ++item.epoch->unsealed;
  }
  store_.unsealed_bytes_ += bytes_;
  for (Service* service : services_) service->epoch->delta_written();
  composed.swap(deltas_);
  size_t freed = 0;
  for (const Delta& delta : composed) freed += delta.value.size();
  (void)waiting_.resize(waiting_.bytes() - freed);  // Less is never refused.
  store_.queue_.enqueue(*this);
  return true;
}

void StoreImpl::AppendWrite::publish() {
  std::vector<NewRecord> records;
  records.reserve(items_.size());
  for (Item& item : items_) {
    if (item.record) records.push_back({std::move(item.epoch), std::move(item.record)});
  }
  if (!records.empty()) store_.contents_->publish(std::move(records), now_ns_);
}

/// An append that nobody waits for; owns itself from the queue on.
class StoreImpl::DetachedAppend final : public AppendWrite {
 public:
  DetachedAppend(StoreImpl& store, const Tenant& tenant, std::span<const AppendProfile> profiles,
                 AppendDone done)
      : AppendWrite(store, tenant, profiles), home_(store), done_(std::move(done)) {
    ++home_.waiting_appends_;
  }
  ~DetachedAppend() override { --home_.waiting_appends_; }
  DetachedAppend(const DetachedAppend&) = delete;
  DetachedAppend& operator=(const DetachedAppend&) = delete;

 private:
  void done(const Status& status) override {
    const std::unique_ptr<DetachedAppend> self(this);
    HEARTH_KILL_POINT("append.before_ack");
    if (status) {
      done_(home_.count(*this));
    } else {
      done_(tl::unexpected(status.error()));
    }
  }

  StoreImpl& home_;
  const AppendDone done_;
};

AppendOutcome StoreImpl::count(const AppendWrite& write) {
  const AppendOutcome outcome = write.outcome();
  profiles_ += outcome.stored;
  duplicates_ += outcome.duplicates;
  rows_ += write.rows();
  return outcome;
}

Status StoreImpl::check_append() const {
  if (auto reason = not_ready_reason())
    return fail(ErrorCode::unavailable, "append: " + *reason, "not_ready");
  return {};
}

Result<AppendOutcome> StoreImpl::append(const Tenant& tenant,
                                        std::span<const AppendProfile> profiles) {
  return append_waiting(tenant, profiles, {});
}

Result<AppendOutcome> StoreImpl::append_waiting(const Tenant& tenant,
                                                std::span<const AppendProfile> profiles,
                                                const std::function<void()>& encoded) {
  HEARTH_RETURN_IF_ERROR(check_append());
  if (profiles.empty()) return AppendOutcome{};
  AppendWrite write(*this, tenant, profiles);
  HEARTH_RETURN_IF_ERROR(write.plan());
  HEARTH_RETURN_IF_ERROR(write.enter_queue());
  if (encoded) encoded();
  // Also when all are duplicates: the empty write waits until the originals are durable.
  HEARTH_RETURN_IF_ERROR(queue_.wait(write));
  HEARTH_KILL_POINT("append.before_ack");
  const AppendOutcome outcome = count(write);
  if (options_.ack_object) HEARTH_RETURN_IF_ERROR(wait_for_bucket(write.generation()));
  return outcome;
}

Status StoreImpl::append_later(const Tenant& tenant, std::span<const AppendProfile> profiles,
                               const std::function<void()>& encoded, AppendDone done) {
  // What waits for the bucket waits here: the thread that commits must not.
  if (options_.ack_object || profiles.empty()) {
    HEARTH_ASSIGN_OR_RETURN(const AppendOutcome outcome, append_waiting(tenant, profiles, encoded));
    done(outcome);
    return {};
  }
  HEARTH_RETURN_IF_ERROR(check_append());
  if (waiting_appends_ >= kWaitingMax) {
    return fail(ErrorCode::unavailable,
                fmt::format("append: {} writes wait for the disk", kWaitingMax), "not_ready");
  }
  auto write = std::make_unique<DetachedAppend>(*this, tenant, profiles, std::move(done));
  HEARTH_RETURN_IF_ERROR(write->plan());
  HEARTH_RETURN_IF_ERROR(write->enter_queue());
  (void)write.release();
  if (encoded) encoded();
  queue_.start();
  return {};
}

Result<StoreImpl::Service*> StoreImpl::service_for(const Tenant& tenant, uint32_t tenant_number,
                                                   std::string_view name) {
  HEARTH_ASSIGN_OR_RETURN(const uint32_t number, services_.number(name));
  const std::lock_guard lock(services_mutex_);
  std::unique_ptr<Service>& service = service_map_[uint64_t{tenant_number} << 32U | number];
  if (!service) {
    service = std::make_unique<Service>();
    service->tenant = tenant_number;
    service->service = number;
    service->tenant_name = tenant.id();
    service->service_name = name;
  }
  return service.get();
}

std::shared_ptr<Epoch> StoreImpl::new_epoch(const Service& service, int64_t now_ns) {
  return std::make_shared<Epoch>(
      Epoch::Identity{next_epoch_++, service.tenant, service.service, service.tenant_name,
                      service.service_name, random_uuid(*options_.random)},
      seed_, now_ns, *options_.memory, dictionaries_, nullptr);
}

// Under the service's lock.
void StoreImpl::end_epoch(Service& service) {
  if (!service.epoch) return;
  service.epoch->end();
  if (service.epoch->unsealed == 0) {
    const std::lock_guard lock(dead_mutex_);
    dead_epochs_.push_back(service.epoch->identity().number);
  }
  service.epoch.reset();
}

// Under the service's lock.
void StoreImpl::roll_epoch(Service& service, int64_t now_ns) {
  service.used_ns = now_ns;
  if (service.epoch && (now_ns - service.epoch->began_ns() >= options_.epoch_max_ns ||
                        service.epoch->nodes() >= options_.epoch_max_nodes)) {
    end_epoch(service);
  }
  if (!service.epoch) service.epoch = new_epoch(service, now_ns);
}

}  // namespace hearth::storage
