// The catalog and the head beside the bucket: at a start, or afterwards as soon as the bucket
// answers.
#include <algorithm>
#include <map>
#include <utility>

#include "base/fault_point.h"
#include "base/log.h"
#include "storage/cluster_identity.h"
#include "storage/keys.h"
#include "storage/sealed_rows.h"
#include "storage/store_impl.h"

namespace hearth::storage {
namespace {

/// Takes each row once, by its epoch and its profile's id.
class SealedSet {
 public:
  explicit SealedSet(const RowIds& rows) {
    for (const auto& [key, id] : rows) ++left_[{RowKey::decode(key)->epoch, id}];
  }
  bool take(const Epoch& epoch, const HeadRecord& record) {
    const auto it = left_.find({epoch.identity().number, record.id});
    if (it == left_.end()) return false;
    if (--it->second == 0) left_.erase(it);
    return true;
  }

 private:
  std::map<std::pair<uint64_t, Id128>, uint64_t> left_;
};

}  // namespace

Result<CatalogLoad> StoreImpl::read_catalog() {
  return load_catalog(*kv_, *options_.bucket, compaction_->manifest(), contents_->sealing(),
                      options_.remote);
}

// While the bucket is away the catalog is believed, and compared when that is over.
Status StoreImpl::recover_catalog() {
  HEARTH_KILL_POINT("open.before_catalog");
  compaction_ = make_compaction();
  HEARTH_ASSIGN_OR_RETURN(CatalogLoad catalog, read_catalog());
  corrupt_objects_ += catalog.corrupt_objects;
  for (const SegmentEntry& entry : catalog.segments) contents_->add_segment(entry);
  if (!catalog.not_compared) return agree_with(std::move(catalog));
  log::warn("the list of segments cannot be compared with the bucket; it is tried again",
            {{"error", catalog.not_compared->message}});
  return recognise_cluster(*kv_, *options_.bucket, !catalog.segments.empty());
}

// A start while the bucket was away compared nothing. The database may be an older copy, in which
// rows stand that segments have, so nothing of the head is sealed and nothing is merged before.
Status StoreImpl::catch_up() {
  if (compared_) return {};
  HEARTH_ASSIGN_OR_RETURN(CatalogLoad catalog, read_catalog());
  if (catalog.not_compared) return tl::unexpected(std::move(*catalog.not_compared));
  corrupt_objects_ += catalog.missing;
  HEARTH_RETURN_IF_ERROR(agree_with(std::move(catalog)));
  log::info("the list of segments was compared with the bucket",
            {{"segments", contents_->totals().segments}});
  return {};
}

// Not while a seal is on, which catches up itself.
Status StoreImpl::catch_up_now() {
  if (compared_) return {};
  const std::unique_lock lock(seal_mutex_, std::try_to_lock);
  if (lock) return catch_up();
  return fail(ErrorCode::unavailable, "compare with the bucket: a seal is under way");
}

// One batch and one step of what queries see, so that nobody, also after a crash, finds a profile
// in the head and in a segment.
Status StoreImpl::agree_with(CatalogLoad catalog) {
  HEARTH_RETURN_IF_ERROR(recognise_cluster(
      *kv_, *options_.bucket, !catalog.segments.empty() || contents_->totals().segments > 0));
  const auto snapshot = compaction_->manifest().current();
  CatalogChange change = catalog.change ? std::move(*catalog.change) : CatalogChange();
  HEARTH_ASSIGN_OR_RETURN(const RowIds rows, sealed_rows(change.added));
  const std::vector<PendingSeal> ended = take_absorbed_seals(*snapshot);
  KvBatch batch;
  if (catalog.change) add_catalog_change(change, *snapshot, batch);
  for (const auto& [key, id] : rows) batch.remove(KvFamily::head, key);
  std::vector<uint64_t> finished;
  for (const PendingSeal& seal : ended) add_seal_end(*seal.generation, batch, finished);
  std::ranges::sort(finished);
  if (!batch.empty()) HEARTH_RETURN_IF_ERROR(keep(batch));
  std::vector<const HeadGeneration*> generations;
  for (const PendingSeal& seal : ended) generations.push_back(seal.generation.get());
  forget(change.removed, std::move(change.added), generations, rows);
  for (const PendingSeal& seal : ended) settle_epochs(*seal.generation, finished);
  compaction_->set_agreed(catalog.snapshot, catalog.missing);
  compared_ = true;
  return {};
}

// The rows of a seal that began stay: the seal that is repeated must find what it had.
Result<RowIds> StoreImpl::sealed_rows(const std::vector<SegmentEntry>& found) {
  if (found.empty()) return RowIds();
  HEARTH_ASSIGN_OR_RETURN(RowIds rows, find_sealed_rows(*kv_, tenants_, readers_, found));
  std::erase_if(rows, [&](const auto& row) {
    const uint64_t generation = RowKey::decode(row.first)->generation;
    return std::ranges::any_of(pending_seals_, [&](const PendingSeal& seal) {
      return seal.intent && seal.generation->first <= generation &&
             generation <= seal.generation->last;
    });
  });
  if (!rows.empty()) {
    log::info("the database is older than the bucket: rows that were sealed since are left out",
              {{"profiles", rows.size()}});
  }
  return rows;
}

// Another process's compaction may have merged the object of a seal that was cut short after its
// upload: the rows are in the merged segments, and the seal has ended.
std::vector<StoreImpl::PendingSeal> StoreImpl::take_absorbed_seals(const Snapshot& snapshot) {
  std::vector<PendingSeal> ended;
  std::vector<PendingSeal> left;
  for (PendingSeal& seal : pending_seals_) {
    const bool absorbed = seal.intent && snapshot.absorbed.contains(seal.intent->object_key);
    if (absorbed)
      log::info("a seal was ended by a compaction", {{"segment", seal.intent->object_key}});
    (absorbed ? ended : left).push_back(std::move(seal));
  }
  pending_seals_ = std::move(left);
  return ended;
}

void StoreImpl::forget(const std::vector<std::string>& removed, std::vector<SegmentEntry> added,
                       const std::vector<const HeadGeneration*>& ended, const RowIds& rows) {
  SealedSet sealed(rows);
  const std::lock_guard verifying(verify_mutex_);
  const auto forgotten = contents_->catch_up(
      removed, std::move(added), ended,
      [&](const Epoch& epoch, const HeadRecord& record) { return sealed.take(epoch, record); });
  for (const std::string& key : removed) readers_.retire(key);
  for (const Contents::Forgotten& part : forgotten) {
    unsealed_bytes_ -= part.bytes;
    part.epoch->unsealed -= part.profiles;
    if (!part.epoch->ended() || part.epoch->unsealed != 0) continue;
    const std::lock_guard lock(dead_mutex_);
    dead_epochs_.push_back(part.epoch->identity().number);
  }
}

}  // namespace hearth::storage
