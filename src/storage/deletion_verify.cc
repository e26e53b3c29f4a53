#include "storage/deletion_verify.h"

#include <fmt/format.h>

#include "base/random.h"
#include "hearth/clock.h"
#include "storage/deletion_log.h"
#include "storage/manifest.h"
#include "storage/open_segment.h"

namespace hearth::storage {
namespace {

constexpr size_t kListPage = 1000;

bool is_live(const Snapshot& snapshot, const std::string& key) {
  if (const auto fresh = parse_fresh_key(key)) return !snapshot.absorbed.contains(*fresh);
  return snapshot.find(key) != nullptr;
}

/// Adds what the object holds to the proofs.
Status look_through(ObjectStore& bucket, const std::string& key, bool live,
                    std::vector<DeletionProof>& proofs) {
  HEARTH_ASSIGN_OR_RETURN(auto object, bucket.open(key));
  if (!object) return {};  // A running server removes what it has replaced.
  HEARTH_ASSIGN_OR_RETURN(const auto segment, OpenSegment::open(std::move(object), key));
  for (DeletionProof& proof : proofs) {
    const Deletion* const deletion = &proof.deletion;
    uint64_t profiles = 0;
    for (size_t i = 0; i < segment->datasets(); ++i) {
      const SegmentDataset& dataset = segment->dataset(i);
      const DatasetInfo& info = dataset.info();
      if (!deletion->may_touch(info.tenant, info.service, info.t_min_ns, info.t_max_ns)) continue;
      HEARTH_ASSIGN_OR_RETURN(const DeletedProfiles found,
                              find_deleted(std::span(&deletion, 1), dataset));
      profiles += found.count;
    }
    DeletionProof::Left& left = live ? proof.live : proof.waiting;
    left.profiles += profiles;
    if (profiles > 0) ++left.objects;
  }
  return {};
}

}  // namespace

Result<DeletionReport> verify_deletions(ObjectStore& bucket) {
  DeletionReport out;
  HEARTH_ASSIGN_OR_RETURN(FoundDeletions found, read_deletions(bucket, {}));
  out.findings = std::move(found.damaged);
  for (Deletion& deletion : found.list) out.proofs.push_back({std::move(deletion), {}, {}});
  if (out.proofs.empty()) return out;
  const auto random = seeded_random(0);
  Manifest manifest(bucket, *random, system_clock(), "");
  HEARTH_RETURN_IF_ERROR(manifest.refresh());
  const auto snapshot = manifest.current();
  for (const char* prefix : {"l0/", "m/"}) {
    std::string after;
    for (bool more = true; more;) {
      HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list(prefix, after, kListPage));
      for (const ObjectStore::Entry& entry : page) {
        if (!entry.key.ends_with(".seg")) continue;
        const bool live = is_live(*snapshot, entry.key);
        const Status looked = look_through(bucket, entry.key, live, out.proofs);
        if (looked) continue;
        out.findings.push_back(fmt::format("{}: not proven to be without deleted profiles: {}",
                                           entry.key, looked.error().message));
      }
      more = page.size() == kListPage;
      if (more) after = page.back().key;
    }
  }
  return out;
}

}  // namespace hearth::storage
