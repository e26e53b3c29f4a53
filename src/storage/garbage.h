#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/manifest.h"

namespace hearth::storage {

struct GarbageOptions {
  /// Tombstones are honoured without a delay: right only if no other process reads the bucket.
  bool at_once = false;
  /// How long objects outlive the snapshot that dropped them: longer than the longest query and the
  /// staleness of any reader.
  int64_t fresh_delay_ns = 600'000'000'000;
  int64_t merged_delay_ns = 3'600'000'000'000;
  int64_t snapshots_kept_ns = 7 * 86'400'000'000'000;
  /// Merged objects that no snapshot names, left by a compaction that ended early. Much longer than
  /// a compaction may take.
  int64_t orphans_kept_ns = 86'400'000'000'000;
  /// Whether a query of this process still reads the object; then it stays for now.
  std::function<bool(const std::string& key)> in_use;
};

struct Collected {
  uint64_t objects = 0, orphans = 0, snapshots = 0;
};

/// Deletes the objects of old tombstones of the newest snapshot, which is looked up again, then
/// commits a snapshot without them. Ages are by the store's clock alone.
[[nodiscard]] Result<Collected> collect_tombstones(ObjectStore& bucket, Manifest& manifest,
                                                   const GarbageOptions& options);

/// Deletes what no snapshot will ever name: orphans, and snapshots older than the newest by age.
[[nodiscard]] Result<Collected> collect_orphans(ObjectStore& bucket, Manifest& manifest,
                                                const GarbageOptions& options);

}  // namespace hearth::storage
