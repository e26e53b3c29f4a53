#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "base/fault_point.h"
#include "base/log.h"
#include "storage/compaction_plan.h"
#include "storage/keys.h"
#include "storage/segment_view.h"
#include "storage/store_impl.h"

namespace hearth::storage {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kSealBackoffMin = 2 * kSecond;
constexpr int64_t kSealBackoffMax = 60 * kSecond;
/// Nothing is accepted before the next attempt succeeds.
constexpr int64_t kAckBackoffMax = 5 * kSecond;
constexpr int64_t kEpochCheckEvery = 10 * kSecond;
/// Profiles of the end of an hour come within this time after it.
constexpr int64_t kLateness = 60 * kSecond;
/// Between two profiles of a service in use.
constexpr int64_t kUsualPause = 15 * kSecond;
constexpr int kViewAttempts = 10;

}  // namespace

Result<CompactOutcome> Store::compact(bool, const CancelToken&) {
  return fail(ErrorCode::unimplemented, "compact: this store has no segments");
}

Status Store::compact_step(const CancelToken&) {
  return {};
}

Status Store::append_later(const Tenant& tenant, std::span<const AppendProfile> profiles,
                           const std::function<void()>& encoded, AppendDone done) {
  HEARTH_ASSIGN_OR_RETURN(const AppendOutcome outcome, append(tenant, profiles));
  if (encoded) encoded();
  done(outcome);
  return {};
}

Result<Store::View> StoreImpl::view(const Tenant& tenant, const ViewQuery& query) {
  HEARTH_RETURN_IF_ERROR(verify(contents_->unverified(tenant.id(), query.service)));
  const auto open = [&] {
    return open_view(*contents_, readers_, deletions_, *options_.memory, tenant, query);
  };
  HEARTH_ASSIGN_OR_RETURN(OpenedView opened, open());
  for (int again = 0; opened.replaced && again < kViewAttempts; ++again) {
    HEARTH_ASSIGN_OR_RETURN(opened, open());
  }
  if (!opened.gone.empty() && compared_ && compaction_->look() && is_outdated(opened, *contents_)) {
    HEARTH_ASSIGN_OR_RETURN(opened, open());
  }
  corrupt_objects_ += opened.damaged;
  if (opened.replaced) return fail(ErrorCode::unavailable, "view: segments are replaced too fast");
  View& view = opened.view;
  if (!compared_) {
    view.partial.emplace_back(
        "the bucket could not be read since hearth started; segments may be missing");
  }
  if (const LogDamage damage = kv_->log_damage(); damage.any()) {
    view.partial.push_back(fmt::format(
        "the log was damaged when hearth started: {} changes lost, {} bytes unreadable; profiles "
        "accepted before may be missing",
        damage.changes, damage.bytes));
  }
  if (const uint64_t damaged = compaction_->unreadable(); damaged > 0) {
    view.partial.push_back(fmt::format("{} segments of the bucket are damaged or lost", damaged));
  }
  if (const uint64_t lost = quarantined_of(tenant.id()); lost > 0) {
    view.partial.push_back(fmt::format("{} profiles were damaged and are left out", lost));
  }
  return std::move(view);
}

Result<CompactOutcome> StoreImpl::compact(bool force, const CancelToken& cancel) {
  if (!query_only_reason_.empty())
    return fail(ErrorCode::unavailable, "compact: " + query_only_reason_);
  if (disk_low_) return fail(ErrorCode::unavailable, "compact: disk space is low");
  HEARTH_RETURN_IF_ERROR(catch_up_now());
  return compaction_->run(force, cancel);
}

Status StoreImpl::compact_step(const CancelToken& cancel) {
  if (!compared_) {
    const int64_t now_ns = options_.clock->boot_ns();
    if (now_ns < next_compare_ns_) return {};
    next_compare_ns_ = now_ns + options_.poll_interval_ns;
    if (!catch_up_now()) return {};  // That it was not compared was told at the start.
  }
  return compaction_->step(!disk_low_, cancel);
}

void StoreImpl::quarantine(const std::string& tenant, uint64_t profiles) {
  const std::lock_guard lock(quarantine_mutex_);
  quarantined_[tenant] += profiles;
}

uint64_t StoreImpl::quarantined_of(const std::string& tenant) const {
  const std::lock_guard lock(quarantine_mutex_);
  uint64_t n = 0;
  for (const std::string& of : {tenant, std::string()}) {
    if (const auto it = quarantined_.find(of); it != quarantined_.end()) n += it->second;
  }
  return n;
}

std::optional<std::string> StoreImpl::not_ready_reason() const {
  if (!query_only_reason_.empty()) return "query-only: " + query_only_reason_;
  if (disk_low_) {
    return fmt::format("disk space is low: {} bytes are free", disk_.free_bytes());
  }
  if (unsealed_bytes_ >= options_.unsealed_max_bytes) {
    return fmt::format("{} bytes wait to be sealed; the limit is {}", unsealed_bytes_.load(),
                       options_.unsealed_max_bytes);
  }
  if (options_.ack_object && seals_fail_) return "the bucket does not take segments";
  if (dictionaries_->used() >= dictionaries_->limit()) {
    return fmt::format("symbol tables take {} bytes; the limit is {}", dictionaries_->used(),
                       dictionaries_->limit());
  }
  return std::nullopt;
}

bool StoreImpl::seal_is_due(int64_t now_ns) const {
  const Contents::Totals totals = contents_->totals();
  if (ack_is_due(now_ns)) return true;
  if (totals.open_began_ns == INT64_MAX) return false;
  return totals.open_bytes >= segment_bytes() ||
         now_ns - totals.open_began_ns >= options_.seal_interval_ns ||
         hour_is_over(now_ns - totals.open_began_ns) || options_.memory->should_shed() ||
         shed_waits_for_seal_;
}

// Rows of an hour that is over would reach the merge of the next one only, and take some of that
// one along, so they do not wait for the interval.
bool StoreImpl::hour_is_over(int64_t oldest_age_ns) const {
  const int64_t now_ns = options_.clock->wall_ns() - kLateness;
  return floor_time(now_ns, kHourNs) > floor_time(now_ns + kLateness - oldest_age_ns, kHourNs);
}

// How many rows make a segment: a limit that is lower than usual must not be reached before.
uint64_t StoreImpl::segment_bytes() const {
  return std::min(options_.seal_bytes, options_.unsealed_max_bytes / 2);
}

// A failed seal is tried again after a while that doubles; rows stay in the head meanwhile, cut
// into segments of the usual size, so that the first one afterwards is not one of all that waited.
Status StoreImpl::seal_when_due(int64_t now_ns) {
  {
    const std::lock_guard lock(seal_mutex_);
    if (now_ns < seal_retry_at_ns_) {
      return contents_->totals().open_bytes >= segment_bytes() ? freeze() : Status{};
    }
    if (pending_seals_.empty() && !seal_is_due(now_ns)) return {};
  }
  {
    const std::lock_guard lock(ack_mutex_);
    next_ack_seal_ns_ = now_ns + options_.ack_interval_ns;
  }
  const auto sealed = seal();
  const std::lock_guard lock(seal_mutex_);
  if (sealed) {
    seal_backoff_ns_ = 0;
    return {};
  }
  const int64_t longest_ns = options_.ack_object ? kAckBackoffMax : kSealBackoffMax;
  seal_backoff_ns_ = std::clamp(seal_backoff_ns_ * 2, kSealBackoffMin, longest_ns);
  seal_retry_at_ns_ = now_ns + seal_backoff_ns_;
  return {};  // It was counted and told.
}

bool StoreImpl::memory_is_short() const {
  return options_.memory->should_shed() || dictionaries_->should_shed();
}

std::vector<StoreImpl::Service*> StoreImpl::services_with_epoch() const {
  std::vector<Service*> services;
  {
    const std::lock_guard lock(services_mutex_);
    services.reserve(service_map_.size());
    for (const auto& [key, service] : service_map_) services.push_back(service.get());
  }
  std::erase_if(services, [](Service* s) {
    const std::lock_guard lock(s->mutex);
    return s->epoch == nullptr;
  });
  return services;
}

// Of `live` bytes of dictionaries that take rows. What ended keeps its tables until it is sealed,
// so dictionaries are ended up to a mark of their own and not once more while a seal is awaited.
size_t StoreImpl::dictionary_bytes_to_keep(size_t live) const {
  size_t keep = SIZE_MAX;
  if (options_.memory->should_shed() && !shed_waits_for_seal_) keep = live / 4 * 3;
  if (dictionaries_->should_shed()) keep = std::min(keep, dictionaries_->limit() / 8 * 5);
  return keep;
}

// Epochs that take no rows any more cannot end themselves. When memory is short, those that cost
// most for what they are used end before their time: half of their memory is free at once, the rest
// with the next seal.
void StoreImpl::end_old_epochs(int64_t now_ns) {
  if (now_ns < next_epoch_check_ns_ && !memory_is_short()) return;
  next_epoch_check_ns_ = now_ns + kEpochCheckEvery;
  struct Candidate {
    double cost;
    Service* service;
  };
  std::vector<Candidate> dearest_first;
  size_t live = 0;
  for (Service* service : services_with_epoch()) {
    const std::lock_guard lock(service->mutex);
    if (!service->epoch) continue;
    const size_t bytes = service->epoch->memory_bytes();
    live += bytes;
    // Computed once: a service in use changes it while the list is sorted.
    const int64_t idle_ns = std::max<int64_t>(now_ns - service->used_ns, 0);
    dearest_first.push_back(
        {static_cast<double>(bytes) * static_cast<double>(idle_ns + kUsualPause), service});
  }
  std::ranges::sort(dearest_first, std::greater(), &Candidate::cost);
  const size_t keep = dictionary_bytes_to_keep(live);
  bool waits = false;
  for (const auto& [cost, service] : dearest_first) {
    const std::lock_guard lock(service->mutex);
    if (!service->epoch) continue;
    const bool too_much = live > keep;
    live -= std::min(live, service->epoch->memory_bytes());
    if (too_much) {
      ++epochs_shed_;
      waits = waits || service->epoch->unsealed > 0;
    }
    if (too_much || now_ns - service->epoch->began_ns() >= options_.epoch_max_ns) {
      end_epoch(*service);
    }
  }
  if (waits && memory_is_short()) shed_waits_for_seal_ = true;
}

// Without sync: what a crash brings back goes at the next start.
Status StoreImpl::delete_dead_epochs() {
  std::vector<uint64_t> dead;
  {
    const std::lock_guard lock(dead_mutex_);
    dead.swap(dead_epochs_);
  }
  if (dead.empty()) return {};
  KvBatch batch;
  for (const uint64_t number : dead) {
    batch.remove_range(KvFamily::head, DeltaKey::begin(number), DeltaKey::begin(number + 1));
  }
  HEARTH_KILL_POINT("epoch.before_delete");
  return kv_->write(batch, false);
}

Status StoreImpl::step() {
  if (!query_only_reason_.empty()) return {};
  const int64_t now_ns = options_.clock->boot_ns();
  disk_.check();
  if (disk_low_.exchange(disk_.low()) != disk_.low()) {
    log::warn(disk_.low() ? "disk space is low: refusing profiles" : "disk space is enough again",
              {{"free_bytes", disk_.free_bytes()}});
  }
  {
    const std::lock_guard lock(order_mutex_);
    retries_.tick(now_ns);
  }
  end_old_epochs(now_ns);
  HEARTH_RETURN_IF_ERROR(delete_dead_epochs());
  return seal_when_due(now_ns);
}

StoreStats StoreImpl::stats() const {
  const Contents::Totals totals = contents_->totals();
  StoreStats stats;
  stats.profiles_total = profiles_;
  stats.duplicates_total = duplicates_;
  stats.rows_total = rows_;
  stats.head_profiles = totals.head_profiles;
  stats.head_bytes = totals.head_bytes;
  stats.segments = totals.segments;
  stats.segment_bytes = totals.segment_bytes;
  stats.seals_total = seals_;
  stats.seal_failures_total = seal_failures_;
  stats.sealed_profiles_total = sealed_profiles_;
  stats.unsealed_max_bytes = options_.unsealed_max_bytes;
  stats.seals_pending = totals.frozen;
  stats.seals_fail = seals_fail_;
  {
    const std::lock_guard lock(quarantine_mutex_);
    for (const auto& [tenant, profiles] : quarantined_) stats.quarantined_rows_total += profiles;
  }
  stats.corrupt_objects_total = corrupt_objects_ + deletions_.damaged();
  const LogDamage damage = kv_->log_damage();
  stats.log_dropped_bytes = damage.bytes;
  stats.log_lost_changes = damage.changes;
  stats.kv_write_groups_total = queue_.groups();
  stats.writes_queued = queue_.queued();
  stats.compaction = compaction_->stats();
  stats.compared = compared_;
  stats.head_dictionaries = services_with_epoch().size();
  stats.dictionary_bytes = dictionaries_->used();
  stats.epochs_shed_total = epochs_shed_;
  return stats;
}

Result<std::optional<std::string>> StoreImpl::meta_get(std::string_view kind, const Tenant& tenant,
                                                       std::string_view name) {
  return kv_->get(KvFamily::meta, value_key(kind, tenant.id(), name));
}

Status StoreImpl::meta_put(std::string_view kind, const Tenant& tenant, std::string_view name,
                           std::string_view value) {
  if (!query_only_reason_.empty()) {
    return fail(ErrorCode::unavailable, "store a setting: " + query_only_reason_);
  }
  PendingWrite write;
  write.batch.put(KvFamily::meta, value_key(kind, tenant.id(), name), value);
  return queue_.commit(write);
}

}  // namespace hearth::storage
