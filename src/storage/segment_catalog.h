#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/cached_reader.h"
#include "storage/kv_store.h"
#include "storage/manifest.h"
#include "storage/segment_reader.h"

namespace hearth::storage {

/// Which object a live segment is.
struct SegmentIdentity {
  std::string key;
  Id128 uuid;
  uint64_t size = 0;
  uint8_t level = 0;
  size_t datasets = 0;
  bool operator==(const SegmentIdentity&) const = default;
};

/// What the catalog knows of a live segment without reading it: enough to prune by tenant, service
/// and time.
struct SegmentEntry {
  struct Part {
    std::string tenant, service;
    int64_t t_min_ns = 0, t_max_ns = 0;
    uint64_t profiles = 0;
    bool operator==(const Part&) const = default;
  };
  SegmentIdentity segment;
  std::vector<Part> parts;  ///< One per dataset, in the segment's order.
  bool operator==(const SegmentEntry&) const = default;

  [[nodiscard]] static SegmentEntry describe(const SegmentReader& reader, uint64_t size);
  /// Value of `catalog` L; the key is not part of it.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<SegmentEntry> decode(std::string_view key, std::string_view value);
};

/// Opened segments, the most recently used ones kept. Thread-safe.
class SegmentReaders {
 public:
  /// `remote`: through what objects are read when the bucket is not local.
  SegmentReaders(ObjectStore& bucket, size_t keep_max, RemoteReads remote = {})
      : bucket_(bucket), keep_max_(keep_max), remote_(remote) {}
  using Opened = Result<std::shared_ptr<const SegmentReader>>;
  /// `not_found` when the object is gone, `data_loss` when it is damaged or another one.
  [[nodiscard]] Opened open(const SegmentIdentity& segment);
  /// The same for several, in their order; what is not known of them is asked for in one wave of
  /// requests.
  [[nodiscard]] std::vector<Opened> open_all(const std::vector<const SegmentIdentity*>& segments);
  /// This process has created the segment's object: its directory need not be read again.
  void created(const SegmentIdentity& segment, std::string_view bytes);
  /// The segment is no longer live: it is not kept any more, only remembered while a query has it.
  void retire(const std::string& key);
  [[nodiscard]] RemoteReads remote() const { return remote_; }
  /// Whether a query still has the retired segment open.
  [[nodiscard]] bool in_use(const std::string& key);

 private:
  void retire_locked(std::string key);
  /// nullptr: not open yet.
  [[nodiscard]] std::shared_ptr<const SegmentReader> find(const SegmentIdentity& segment);
  void forget(const std::string& key);
  /// Asks the bucket anew for a segment whose object a read did not find.
  [[nodiscard]] Status check_lost(const SegmentIdentity& segment);
  [[nodiscard]] std::unique_ptr<ObjectReader> remote_object(const SegmentIdentity& segment);
  /// `object`: the segment's, from remote_object(); nullptr when the bucket is local.
  [[nodiscard]] Opened read(const SegmentIdentity& segment, std::unique_ptr<ObjectReader> object);

  using Kept = std::pair<std::string, std::shared_ptr<const SegmentReader>>;
  ObjectStore& bucket_;
  const size_t keep_max_;
  const RemoteReads remote_;
  std::mutex mutex_;
  std::list<Kept> recent_;  ///< Most recent first.
  std::map<std::string, std::list<Kept>::iterator, std::less<>> by_key_;
  /// No longer kept here, perhaps by a query.
  std::map<std::string, std::weak_ptr<const SegmentReader>, std::less<>> retired_;
};

/// Opens an object as a segment; nullptr when there is no such object.
[[nodiscard]] Result<std::shared_ptr<const SegmentReader>> open_segment(ObjectStore& bucket,
                                                                        const std::string& key);

/// How a list of live segments must change to agree with the bucket.
struct CatalogChange {
  std::vector<std::string> removed;
  std::vector<SegmentEntry> added;
  std::vector<std::string> damaged;  ///< Objects that should be segments and are not.
  std::vector<std::string> lost;     ///< Segments whose objects are not there.
  uint64_t unreachable = 0;          ///< Segments that the bucket would not give now.
  [[nodiscard]] bool empty() const { return removed.empty() && added.empty(); }
  [[nodiscard]] size_t missing() const { return damaged.size() + lost.size(); }
};
/// Compares what is known with a snapshot: of the merged segments, exactly those of the snapshot
/// are live; of the fresh ones in `known` and `listed`, those that it has not absorbed. Reads the
/// directories of segments that are new. `pending`: keys that are not looked at, of seals in
/// flight, whose rows are still in the head, or of objects known to be damaged. Many directories of
/// a remote bucket are read at a time.
[[nodiscard]] CatalogChange compare_catalog(const std::vector<SegmentIdentity>& known,
                                            const Snapshot& snapshot, ObjectStore& bucket,
                                            const std::vector<ObjectStore::Entry>& listed,
                                            const std::vector<std::string>& pending,
                                            const RemoteReads& remote = {});
/// All fresh segments that the bucket lists.
[[nodiscard]] Result<std::vector<ObjectStore::Entry>> list_fresh(ObjectStore& bucket);
/// Adds the change to a batch, with the mark that the catalog agrees with that snapshot unless
/// something could not be read.
void add_catalog_change(const CatalogChange& change, const Snapshot& snapshot, KvBatch& batch);

struct CatalogLoad {
  std::vector<SegmentEntry> segments;
  uint64_t corrupt_objects = 0;
  uint64_t missing = 0;   ///< Those of them that the bucket should have: queries are partial.
  uint64_t snapshot = 0;  ///< Number of the snapshot that they agree with.
  /// Why the bucket could not be asked now; nullopt when it was.
  std::optional<Error> not_compared;
  /// How they differ from what the `catalog` family lists; nullopt when that agrees.
  std::optional<CatalogChange> change;
};
/// The segments that the store's `catalog` family lists, compared with the bucket: with its newest
/// snapshot (a compaction was cut short) and its fresh segments (the database is fresh, lost or an
/// older copy). What is new is read, nothing is written. `pending` as above. While the bucket does
/// not give all that is new, the list stays as it is, tells its older snapshot and why: half a
/// change would miss profiles without saying so. `unavailable` when there is no list yet.
[[nodiscard]] Result<CatalogLoad> load_catalog(KvStore& store, ObjectStore& bucket,
                                               Manifest& manifest,
                                               const std::vector<std::string>& pending,
                                               const RemoteReads& remote = {});

}  // namespace hearth::storage
