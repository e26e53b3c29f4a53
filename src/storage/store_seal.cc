#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <unordered_set>

#include "base/bytes.h"
#include "base/fault_point.h"
#include "base/free_memory.h"
#include "base/log.h"
#include "storage/cluster_identity.h"
#include "storage/keys.h"
#include "storage/store_impl.h"

namespace hearth::storage {
namespace {

/// What small seals may leave in the log: a start reads it in a tenth of a second, and a flush of
/// three families for every handful of profiles would cost more than those.
constexpr uint64_t kLogKept = uint64_t{8} << 20U;

}  // namespace

/// A place in the commit queue behind everything of the generation that ends: when it is published,
/// all of that is durable and visible, and nothing of the next is.
class StoreImpl::Freeze final : public PendingWrite {
 public:
  explicit Freeze(Contents& contents) : contents_(contents) {}
  uint64_t next = 0;
  std::shared_ptr<HeadGeneration> frozen;
  void publish() override { frozen = contents_.freeze(next); }

 private:
  Contents& contents_;
};

Status StoreImpl::freeze() {
  Freeze write(*contents_);
  {
    const std::lock_guard lock(order_mutex_);
    write.next = ++generation_;
    queue_.enqueue(write);
  }
  HEARTH_KILL_POINT("seal.before_freeze");
  HEARTH_RETURN_IF_ERROR(queue_.wait(write));
  HEARTH_KILL_POINT("seal.after_freeze");
  frozen_before_ = write.next;
  shed_waits_for_seal_ = false;
  if (write.frozen) pending_seals_.push_back({std::move(write.frozen), std::nullopt, false, {}});
  return {};
}

Result<uint64_t> StoreImpl::seal() {
  if (!query_only_reason_.empty()) {
    return fail(ErrorCode::unavailable, "seal: " + query_only_reason_);
  }
  const std::lock_guard lock(seal_mutex_);
  // What was begun earlier goes first: a generation's range must not cover one that is frozen.
  HEARTH_ASSIGN_OR_RETURN(const uint64_t earlier, seal_pending());
  HEARTH_RETURN_IF_ERROR(freeze());
  HEARTH_ASSIGN_OR_RETURN(const uint64_t now, seal_pending());
  return earlier + now;
}

Status StoreImpl::seal_one(PendingSeal& seal) {
  const int64_t begin_ns = options_.clock->boot_ns();
  HEARTH_ASSIGN_OR_RETURN(SegmentEntry entry, upload(seal));
  const SegmentIdentity segment = entry.segment;
  HEARTH_RETURN_IF_ERROR(go_live(seal, std::move(entry)));
  log_seal(seal, segment, begin_ns);
  return {};
}

Result<uint64_t> StoreImpl::seal_pending() {
  uint64_t sealed = 0;
  while (!pending_seals_.empty()) {
    const Status compared = catch_up();
    if (compared && pending_seals_.empty()) break;  // The bucket had them all.
    PendingSeal& seal = pending_seals_.front();
    const Status done = compared ? seal_one(seal) : compared;
    note_seals(done);
    if (!done) return tl::unexpected(done.error());
    sealed += seal.generation->profiles();
    sealed_profiles_ += seal.generation->profiles();
    pending_seals_.erase(pending_seals_.begin());
    ++seals_;
  }
  tell_waiters(true);
  // The dictionaries that ended for want of memory are gone now, but between those that go on.
  if (const uint64_t shed = epochs_shed_; sealed > 0 && shed != freed_at_shed_) {
    freed_at_shed_ = shed;
    return_free_memory();
  }
  return sealed;
}

// Trouble is told when it begins and when it ends, not with every attempt.
void StoreImpl::note_seals(const Status& done) {
  const bool failed_before = seals_fail_.exchange(!done);
  const int64_t now_ns = options_.clock->boot_ns();
  if (!done) {
    ++seal_failures_;
    tell_waiters(false);
    if (failed_before) return;
    seals_failed_since_ns_ = now_ns;
    log::warn("segments cannot be sealed; profiles wait",
              {{"error", done.error().message}, {"limit_bytes", options_.unsealed_max_bytes}});
  } else if (failed_before) {
    log::info("segments are sealed again",
              {{"seconds", (now_ns - seals_failed_since_ns_) / 1'000'000'000},
               {"pending", pending_seals_.size() - 1},
               {"waiting_bytes", unsealed_bytes_.load()}});
  }
}

void StoreImpl::log_seal(const PendingSeal& seal, const SegmentIdentity& segment,
                         int64_t begin_ns) const {
  if (segment.key.empty()) return;  // Everything was quarantined, which has a line of its own.
  log::info("sealed", {{"segment", segment.key},
                       {"profiles", seal.generation->profiles()},
                       {"datasets", segment.datasets},
                       {"bytes", segment.size},
                       {"ms", (options_.clock->boot_ns() - begin_ns) / 1'000'000}});
}

Status StoreImpl::durable_write(const KvBatch& batch) {
  Status written = kv_->write(batch, true);
  if (!written) fail_stop_(written.error());
  return written;
}

// Without a disk to write to, what is known of the bucket is known in memory.
Status StoreImpl::keep(const KvBatch& batch) {
  return query_only_reason_.empty() ? durable_write(batch) : Status{};
}

Status StoreImpl::join_bucket() {
  const bool has_segments = contents_->totals().segments > 0;
  HEARTH_ASSIGN_OR_RETURN(const std::string cluster,
                          join_cluster(*kv_, *options_.bucket, *options_.random, has_segments));
  if (cluster.empty()) return {};
  KvBatch batch;
  batch.put(KvFamily::meta, kClusterKey, cluster);
  return durable_write(batch);
}

Status StoreImpl::claim_writer() {
  if (writer_.empty()) HEARTH_RETURN_IF_ERROR(join_bucket());
  std::array<char, 256> host{};
  (void)gethostname(host.data(), host.size() - 1);
  while (writer_.empty()) {
    const std::string writer = fmt::format("{:016x}", options_.random->next_u64());
    const std::string claim = fmt::format(
        "{{\"format\":1,\"host\":\"{}\",\"process\":{},\"version\":\"{}\",\"role\":\"{}\"}}\n",
        host.data(), getpid(), options_.writer_version, options_.role);
    add_own_writer(writer);
    HEARTH_KILL_POINT("claim.before_put");
    HEARTH_ASSIGN_OR_RETURN(const auto outcome,
                            options_.bucket->put_if_absent("w/" + writer, claim));
    HEARTH_KILL_POINT("claim.after_put");
    // A taken id belongs to another writer, or to an answer that was lost: either way, another one.
    if (outcome == ObjectStore::PutOutcome::created) writer_ = writer;
  }
  return {};
}

void StoreImpl::add_own_writer(const std::string& writer) {
  const std::lock_guard lock(writers_mutex_);
  writers_.insert(writer);
}

bool StoreImpl::is_own(const std::string& object_key) const {
  const auto fresh = parse_fresh_key(object_key);
  const std::lock_guard lock(writers_mutex_);
  return fresh && writers_.contains(fresh->writer);
}

Result<StoreImpl::Intent> StoreImpl::new_intent() {
  HEARTH_RETURN_IF_ERROR(claim_writer());
  return Intent{fmt::format("l0/{}/{:010}.seg", writer_, next_segment_++),
                random_uuid(*options_.random)};
}

Status StoreImpl::write_intent(const PendingSeal& seal) {
  std::string value(1, '\1');
  put_be(value, seal.intent->uuid.hi);
  put_be(value, seal.intent->uuid.lo);
  put_le(value, seal.generation->last);
  value += seal.intent->object_key;
  KvBatch batch;
  batch.put(KvFamily::head, intent_key(seal.generation->first), value);
  HEARTH_KILL_POINT("seal.before_intent");
  HEARTH_RETURN_IF_ERROR(durable_write(batch));
  HEARTH_KILL_POINT("seal.after_intent");
  contents_->begin_seal(*seal.generation, seal.intent->object_key);
  return {};
}

// The entry when the object of an earlier attempt is there and ours, nullopt when it is not there.
Result<std::optional<SegmentEntry>> StoreImpl::uploaded_before(const Intent& intent) {
  HEARTH_ASSIGN_OR_RETURN(auto object, options_.bucket->open(intent.object_key));
  if (!object) return std::nullopt;
  const uint64_t size = object->size();
  HEARTH_ASSIGN_OR_RETURN(const auto reader,
                          SegmentReader::open(std::move(object), intent.object_key));
  if (reader->uuid() != intent.uuid) {
    return fail(ErrorCode::conflict,
                fmt::format("seal to {}: the object is another writer's", intent.object_key));
  }
  return SegmentEntry::describe(*reader, size);
}

Result<EncodedSegment> StoreImpl::prepare(PendingSeal& seal) {
  if (!seal.intent) {
    HEARTH_ASSIGN_OR_RETURN(seal.intent, new_intent());
  }
  SegmentWriter::Options writer;
  writer.object_key = seal.intent->object_key;
  writer.uuid = seal.intent->uuid;
  writer.writer_version = options_.writer_version;
  return encode_segment(*seal.generation, std::move(writer));
}

// Intent, object. A repeated attempt, also of a later life, uses the same key, uuid and rows, so
// that whichever attempt created the object, it holds exactly this generation.
Result<SegmentEntry> StoreImpl::upload(PendingSeal& seal, bool again) {
  std::vector<std::shared_ptr<HeadGroup>> groups;
  for (const auto& [key, group] : seal.generation->groups()) groups.push_back(group);
  HEARTH_RETURN_IF_ERROR(verify(groups));
  if (seal.recovered) {
    auto before = uploaded_before(*seal.intent);
    if (before && *before) return std::move(**before);
    // Foreign or damaged: the same rows, which are all still in the head, go under a new key.
    const bool unusable = !before && (before.error().code == ErrorCode::conflict ||
                                      before.error().code == ErrorCode::data_loss);
    if (!before && !unusable) return tl::unexpected(std::move(before).error());
    if (unusable) seal.intent.reset();
    seal.recovered = false;
  }
  if (seal.generation->empty()) return SegmentEntry{};  // Everything was quarantined.
  HEARTH_ASSIGN_OR_RETURN(EncodedSegment encoded, prepare(seal));
  seal.left_out = std::move(encoded.left_out);
  const MemoryCharge charge = options_.memory->must_charge(encoded.bytes.capacity());
  HEARTH_RETURN_IF_ERROR(write_intent(seal));
  HEARTH_KILL_POINT("seal.before_put");
  HEARTH_ASSIGN_OR_RETURN(const auto outcome,
                          options_.bucket->put_if_absent(seal.intent->object_key, encoded.bytes));
  HEARTH_KILL_POINT("seal.after_put");
  if (outcome == ObjectStore::PutOutcome::created) {
    readers_.created(encoded.entry.segment, encoded.bytes);
    return std::move(encoded.entry);
  }
  // The answer to an earlier attempt was lost, or the object is foreign: the next attempt tells.
  seal.recovered = true;
  if (!again) return upload(seal, true);
  return fail(ErrorCode::unavailable,
              fmt::format("seal to {}: the bucket says both that it exists and that it does not",
                          seal.intent->object_key));
}

void StoreImpl::add_finished_epochs(const HeadGeneration& sealed, KvBatch& batch,
                                    std::vector<uint64_t>& finished) {
  std::map<uint64_t, std::pair<const Epoch*, uint64_t>> rows;
  for (const auto& [key, group] : sealed.groups()) {
    auto& [epoch, count] = rows[key.first];
    epoch = group->epoch().get();
    count += group->records().size();
  }
  for (const auto& [number, of] : rows) {
    if (!of.first->ended() || of.first->unsealed != of.second) continue;
    batch.remove_range(KvFamily::head, DeltaKey::begin(number), DeltaKey::begin(number + 1));
    finished.push_back(number);
  }
}

void StoreImpl::add_seal_end(const HeadGeneration& sealed, KvBatch& batch,
                             std::vector<uint64_t>& finished) {
  batch.remove(KvFamily::head, intent_key(sealed.first));
  batch.remove_range(KvFamily::head, RowKey::begin(sealed.first), RowKey::begin(sealed.last + 1));
  add_finished_epochs(sealed, batch, finished);
}

void StoreImpl::settle_epochs(const HeadGeneration& sealed, const std::vector<uint64_t>& finished) {
  for (const auto& [key, group] : sealed.groups()) {
    Epoch& epoch = *group->epoch();
    epoch.unsealed -= group->records().size();
    unsealed_bytes_ -= group->bytes();
    // Ended while it was being sealed: its deltas go with the next step.
    if (epoch.ended() && epoch.unsealed == 0 && !std::ranges::binary_search(finished, key.first)) {
      const std::lock_guard lock(dead_mutex_);
      dead_epochs_.push_back(key.first);
    }
  }
}

// One batch: the segment is live, the rows, their intent and what only they needed are gone.
Status StoreImpl::go_live(PendingSeal& seal, SegmentEntry entry) {
  const HeadGeneration& sealed = *seal.generation;
  KvBatch batch;
  if (!entry.parts.empty()) {
    batch.put(KvFamily::catalog, segment_key(entry.segment.key), entry.encode());
  }
  std::vector<uint64_t> finished;
  add_seal_end(sealed, batch, finished);
  {
    const std::lock_guard lock(order_mutex_);
    batch.remove_range(KvFamily::meta, RetryKey::begin(0), RetryKey::begin(retries_.oldest_slot()));
  }
  HEARTH_KILL_POINT("seal.before_live");
  HEARTH_RETURN_IF_ERROR(durable_write(batch));
  HEARTH_KILL_POINT("seal.after_live");
  contents_->commit_seal(sealed, std::move(entry));
  settle_epochs(sealed, finished);
  for (const auto& [tenant, profiles] : seal.left_out) quarantine(tenant, profiles);
  HEARTH_KILL_POINT("seal.after_switch");
  // Not waited for, and not needed for correctness: it keeps the log short.
  if (const Status flushed = kv_->flush_all(kLogKept); !flushed) {
    log::warn("flush after seal", {{"error", flushed.error().message}});
  }
  return {};
}

Status StoreImpl::verify_group(HeadGroup& group) {
  const size_t types = group.info().family.types.size();
  HEARTH_ASSIGN_OR_RETURN(const auto tables, group.epoch()->tables());
  Rows rows;
  SideTable side;
  const auto has_row = [&rows](const SideEntry& e) {
    return std::ranges::binary_search(rows.keys, e.key);
  };
  std::unordered_set<const HeadRecord*> unusable;
  // Without the lock of the contents: no row is added to a recovered group, and no query reads it
  // before it was verified.
  for (const auto& record : group.records()) {
    if (!decode_rows(record->row_bytes, record->rows, types, rows) ||
        record->totals.size() != types || !group.epoch()->knows(rows.keys) ||
        !decode_side(*record, tables->keys(), side) ||
        !std::ranges::all_of(side.entries, has_row)) {
      unusable.insert(record.get());
    }
  }
  const uint64_t bytes = group.bytes();
  const size_t bad = contents_->verify(
      group, [&](const HeadRecord& record) { return unusable.contains(&record); });
  if (bad == 0) return {};
  unsealed_bytes_ -= bytes - group.bytes();
  group.epoch()->unsealed -= bad;
  quarantine(group.epoch()->identity().tenant_name, bad);
  log::warn("profiles without their symbols were quarantined",
            {{"tenant", group.epoch()->identity().tenant_name},
             {"service", group.epoch()->identity().service_name},
             {"profiles", bad}});
  return {};
}

Status StoreImpl::verify(const std::vector<std::shared_ptr<HeadGroup>>& groups) {
  const std::lock_guard lock(verify_mutex_);
  for (const auto& group : groups) {
    if (!group->verified) HEARTH_RETURN_IF_ERROR(verify_group(*group));
  }
  return {};
}

}  // namespace hearth::storage
