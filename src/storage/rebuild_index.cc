#include "storage/rebuild_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <memory>
#include <optional>
#include <set>

#include "storage/bucket_verify.h"
#include "storage/deletion_log.h"
#include "storage/open_segment.h"
#include "storage/profile_content.h"
#include "storage/snapshot.h"

namespace hearth::storage {
namespace {

constexpr size_t kListPage = 1000;

struct HashId {
  size_t operator()(const Id128& id) const { return id.lo ^ id.hi; }
};
using IdSet = boost::unordered_flat_set<Id128, HashId>;

Result<std::vector<ObjectStore::Entry>> list_all(ObjectStore& bucket, const std::string& prefix) {
  std::vector<ObjectStore::Entry> out;
  std::string after;
  for (;;) {
    HEARTH_ASSIGN_OR_RETURN(const auto page, bucket.list(prefix, after, kListPage));
    out.insert(out.end(), page.begin(), page.end());
    if (page.size() < kListPage) return out;
    after = page.back().key;
  }
}

Result<std::optional<Snapshot>> read_snapshot(ObjectStore& bucket, const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(const auto object, bucket.open(key));
  if (!object) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes bytes, object->read(0, object->size()));
  auto snapshot = decode_snapshot(bytes.view);
  if (!snapshot) return std::nullopt;  // Damaged: an older one may be whole.
  return std::move(*snapshot);
}

/// The newest snapshot that can be read, and the greatest number that is taken.
struct Chain {
  Snapshot base;
  uint64_t taken = 0;
};

Result<Chain> read_chain(ObjectStore& bucket) {
  Chain chain;
  HEARTH_ASSIGN_OR_RETURN(auto listed, list_all(bucket, std::string(kSnapshotPrefix)));
  std::ranges::reverse(listed);
  for (const ObjectStore::Entry& entry : listed) {
    const uint64_t number = parse_snapshot_key(entry.key);
    if (number == 0) continue;
    chain.taken = std::max(chain.taken, number);
    HEARTH_ASSIGN_OR_RETURN(auto snapshot, read_snapshot(bucket, entry.key));
    if (!snapshot || snapshot->number != number) continue;
    chain.base = std::move(*snapshot);
    break;
  }
  return chain;
}

struct Candidate {
  ObjectStore::Entry entry;
  uint8_t level = 0;
};

/// `data_loss` also when it is gone. Opened for a moment each: there may be more than files can be
/// open.
Result<std::unique_ptr<OpenSegment>> open_candidate(ObjectStore& bucket, const std::string& key) {
  HEARTH_ASSIGN_OR_RETURN(auto object, bucket.open(key));
  if (!object) return fail(ErrorCode::data_loss, fmt::format("{}: no such object", key));
  return OpenSegment::open(std::move(object), key);
}

/// The profiles of the segments that were decided to be live. Deleted ones need no cover: a segment
/// that was written again without them has replaced the one that has them.
class Coverage {
 public:
  explicit Coverage(std::vector<Deletion> deletions) : deletions_(std::move(deletions)) {}
  struct Count {
    uint64_t covered = 0, deleted = 0, profiles = 0, damaged = 0;
    [[nodiscard]] bool replaced() const {
      return damaged == 0 && profiles > 0 && covered + deleted == profiles;
    }
  };
  /// How many of the segment's profiles are there already; with `add` all of them are afterwards.
  /// A dataset that is damaged covers nothing, and nothing replaces it.
  Result<Count> look(const OpenSegment& segment, bool add) {
    Count count;
    for (size_t i = 0; i < segment.datasets(); ++i) {
      const Status looked = look(segment.dataset(i), add, count);
      if (!looked && looked.error().code != ErrorCode::data_loss)
        return tl::unexpected(looked.error());
      if (!looked) ++count.damaged;
    }
    return count;
  }

 private:
  Status look(const SegmentDataset& dataset, bool add, Count& count) {
    HEARTH_ASSIGN_OR_RETURN(const auto labels, dataset.series());
    HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
    HEARTH_ASSIGN_OR_RETURN(const auto contents, contents_of(dataset.info(), *labels, *columns));
    const DatasetInfo& info = dataset.info();
    const DeletedProfiles deleted =
        find_deleted(touching(deletions_, info.tenant, info.service, info.t_min_ns, info.t_max_ns),
                     *labels, columns->series, columns->start_ns);
    count.profiles += columns->size();
    count.deleted += deleted.count;
    const bool named = !columns->ids.empty();
    std::vector<uint32_t> by_rows;
    for (uint32_t p = 0; p < columns->size(); ++p) {
      if (deleted.flags[p] != 0) continue;
      if (named && ids_.contains(columns->ids[p])) {
        ++count.covered;
      } else if (contents_.contains(contents[p]) || (add && !named)) {
        by_rows.push_back(p);
      }
    }
    HEARTH_ASSIGN_OR_RETURN(const auto rows, rows_of(dataset, by_rows));
    if (add) ids_.insert(columns->ids.begin(), columns->ids.end());
    for (size_t i = 0; i < by_rows.size(); ++i) {
      const Id128 content = contents[by_rows[i]];
      const Id128 whole{content.hi ^ rows[i].lo, content.lo ^ rows[i].hi};
      if (days_.contains(whole)) ++count.covered;
      if (!add || named) continue;
      contents_.insert(content);
      days_.insert(whole);
    }
    return {};
  }

  const std::vector<Deletion> deletions_;
  IdSet ids_;
  IdSet contents_, days_;  ///< Of profiles without an id: without their rows, and with them.
};

/// All segments that no readable snapshot has given up, in the order in which they are decided.
Result<std::vector<Candidate>> candidates(ObjectStore& bucket, const Snapshot& base,
                                          RebuiltIndex& out) {
  std::set<std::string, std::less<>> buried;
  for (const Tombstone& t : base.tombstones) buried.insert(t.key);
  std::vector<Candidate> found;
  for (const char* prefix : {"m/", "l0/"}) {
    HEARTH_ASSIGN_OR_RETURN(const auto listed, list_all(bucket, prefix));
    for (const ObjectStore::Entry& entry : listed) {
      if (!entry.key.ends_with(".seg")) continue;
      if (buried.contains(entry.key) || base.absorbed.contains(entry.key)) continue;
      const auto segment = open_candidate(bucket, entry.key);
      if (!segment && segment.error().code != ErrorCode::data_loss)
        return tl::unexpected(segment.error());
      if (!segment) {
        out.damaged.push_back(entry.key);
        continue;
      }
      found.push_back({entry, (*segment)->directory().level});
    }
  }
  std::ranges::sort(found, [](const Candidate& a, const Candidate& b) {
    if (a.level != b.level) return a.level > b.level;
    if (a.entry.modified_ns != b.entry.modified_ns)
      return a.entry.modified_ns > b.entry.modified_ns;
    return a.entry.key < b.entry.key;
  });
  return found;
}

SnapshotSegment listed_as(const ObjectStore::Entry& entry, const SegmentDirectory& directory) {
  SnapshotSegment out{entry.key,
                      directory.uuid,
                      entry.size,
                      directory.level,
                      directory.window_start_ns,
                      directory.window_length_ns,
                      directory.datasets.size(),
                      0};
  for (const DatasetEntry& dataset : directory.datasets) out.profiles += dataset.info.profiles;
  return out;
}

/// Sorts one segment into the snapshot.
Status decide(ObjectStore& bucket, const ObjectStore::Entry& entry, Coverage& coverage,
              Snapshot& next, RebuiltIndex& out) {
  HEARTH_ASSIGN_OR_RETURN(const auto segment, open_candidate(bucket, entry.key));
  // Where its directory is whole and a part is not, what is left of it is still served.
  const auto count = coverage.look(*segment, false);
  if (!count) return tl::unexpected(count.error());
  const auto fresh = parse_fresh_key(entry.key);
  if (count->replaced()) {
    ++out.replaced;
    if (fresh) next.absorbed.add(*fresh);
    next.tombstones.push_back({entry.key, next.number});
    return {};
  }
  out.overlapping += count->covered;
  if (count->profiles > 0) HEARTH_RETURN_IF_ERROR(coverage.look(*segment, true));
  ++(fresh ? out.fresh : out.kept);
  if (!fresh) next.segments.push_back(listed_as(entry, segment->directory()));
  return {};
}

}  // namespace

Result<RebuiltIndex> rebuild_index(ObjectStore& bucket, Random& random, const Clock& clock,
                                   const std::string& writer_version, bool force) {
  RebuiltIndex out;
  HEARTH_ASSIGN_OR_RETURN(const Chain chain, read_chain(bucket));
  out.number = chain.taken;
  const bool whole = chain.base.number == chain.taken && verify_bucket(bucket).empty();
  if (whole && chain.taken > 0 && !force) return out;
  Snapshot next;
  next.number = chain.taken + 1;
  next.nonce = random_uuid(random);
  next.previous_nonce = chain.base.nonce;
  next.created_ns = clock.wall_ns();
  next.writer_version = writer_version;
  next.absorbed = chain.base.absorbed;
  next.tombstones = chain.base.tombstones;
  HEARTH_ASSIGN_OR_RETURN(const auto found, candidates(bucket, chain.base, out));
  HEARTH_ASSIGN_OR_RETURN(FoundDeletions deletions, read_deletions(bucket, {}));
  Coverage coverage(std::move(deletions.list));
  for (const Candidate& candidate : found)
    HEARTH_RETURN_IF_ERROR(decide(bucket, candidate.entry, coverage, next, out));
  std::ranges::sort(next.segments, {}, &SnapshotSegment::key);
  std::ranges::sort(next.tombstones, {}, &Tombstone::key);
  HEARTH_ASSIGN_OR_RETURN(const auto put,
                          bucket.put_if_absent(snapshot_key(next.number), encode_snapshot(next)));
  if (put != ObjectStore::PutOutcome::created) {
    return fail(ErrorCode::conflict,
                fmt::format("publish {}: another process was faster; run it again",
                            snapshot_key(next.number)));
  }
  out.number = next.number;
  out.published = true;
  return out;
}

}  // namespace hearth::storage
