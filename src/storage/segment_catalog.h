#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/kv_store.h"
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
  SegmentReaders(ObjectStore& bucket, size_t keep_max) : bucket_(bucket), keep_max_(keep_max) {}
  /// `not_found` when the object is gone, `data_loss` when it is damaged or another one.
  [[nodiscard]] Result<std::shared_ptr<const SegmentReader>> open(const SegmentIdentity& segment);

 private:
  using Kept = std::pair<std::string, std::shared_ptr<const SegmentReader>>;
  ObjectStore& bucket_;
  const size_t keep_max_;
  std::mutex mutex_;
  std::list<Kept> recent_;  ///< Most recent first.
  std::map<std::string, std::list<Kept>::iterator, std::less<>> by_key_;
};

/// Opens an object as a segment; nullptr when there is no such object.
[[nodiscard]] Result<std::shared_ptr<const SegmentReader>> open_segment(ObjectStore& bucket,
                                                                        const std::string& key);

struct CatalogLoad {
  std::vector<SegmentEntry> segments;
  uint64_t corrupt_objects = 0;
};
/// The segments that the store's `catalog` family lists. When that is not marked complete (a fresh
/// or lost database), the bucket is listed, each segment's directory read and, unless `read_only`,
/// the catalog written. `pending`: object keys of seals in flight, whose rows are still in the
/// head.
[[nodiscard]] Result<CatalogLoad> load_catalog(KvStore& store, ObjectStore& bucket,
                                               const std::vector<std::string>& pending,
                                               bool read_only);

}  // namespace hearth::storage
