#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "hearth/object_store.h"
#include "storage/snapshot.h"

namespace hearth::storage {

/// The chain of snapshots in the bucket, as one process knows it. What a reader sees is the newest
/// snapshot's segments and the fresh segments that it has not absorbed; it lists the fresh ones
/// first, so that nothing is in neither. A change is committed by creating the next number, which
/// one process alone can do; safety depends on nothing else, no lock, no clock, no lease.
///
/// Thread-safe for current(); refresh() and commit() by one thread at a time.
class Manifest {
 public:
  /// Borrowed things outlive the manifest.
  Manifest(ObjectStore& bucket, Random& random, const Clock& clock, std::string writer_version);

  /// The newest snapshot that is known; number 0 and empty before there is one.
  [[nodiscard]] std::shared_ptr<const Snapshot> current() const;

  /// Looks for newer snapshots: one LIST, then by key until one is absent, because a listing may
  /// lag. `data_loss` when the newest one is damaged.
  [[nodiscard]] Status refresh();

  struct Change {
    std::vector<SnapshotSegment> added;
    std::vector<std::string> removed;    ///< Keys of merged and fresh segments that it replaces.
    std::vector<std::string> collected;  ///< Keys of tombstones whose objects are gone.
  };
  enum class Outcome : uint8_t {
    committed,
    lost,  ///< Somebody else took the number, or the change does not fit any more: start over.
  };
  /// Publishes the change on top of current(). After an error the outcome is unknown: the next
  /// refresh() tells, and until then nothing can be committed.
  [[nodiscard]] Result<Outcome> commit(const Change& change);

 private:
  [[nodiscard]] Result<std::optional<Snapshot>> read(uint64_t number) const;
  [[nodiscard]] Result<uint64_t> newest_listed(uint64_t known) const;
  [[nodiscard]] std::optional<Snapshot> apply(const Change& change) const;
  [[nodiscard]] Result<Outcome> publish(const Snapshot& next, const std::string& bytes);
  void set_current(Snapshot snapshot);

  ObjectStore& bucket_;
  Random& random_;
  const Clock& clock_;
  const std::string writer_version_;
  bool unsure_ = false;  ///< A commit's outcome is unknown.
  mutable std::mutex mutex_;
  std::shared_ptr<const Snapshot> current_;
};

}  // namespace hearth::storage
