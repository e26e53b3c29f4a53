#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "objstore/s3_store.h"
#include "objstore/store_probe.h"

namespace hearth::objstore {

struct BucketOptions {
  std::string location;    ///< A directory, or s3://bucket/prefix.
  S3Options s3;            ///< For the latter; bucket and prefix come from `location`.
  bool read_only = false;  ///< Nothing is created, probed or removed.
};

/// Where sealed data lives, and what is known of it. Thread-safe.
class Bucket {
 public:
  /// Creates a directory; asks nothing of a remote service yet, which may be away. Errors:
  /// `invalid_argument` for the options, `unavailable` when libcurl is missing, a directory that
  /// cannot be listed.
  [[nodiscard]] static Result<std::unique_ptr<Bucket>> open(FileSystem& files, const Clock& clock,
                                                            Random& random,
                                                            const BucketOptions& options);

  [[nodiscard]] const std::shared_ptr<ObjectStore>& store() const { return store_; }
  [[nodiscard]] const std::string& location() const { return location_; }
  [[nodiscard]] bool remote() const { return s3_ != nullptr; }

  /// Probes a remote bucket once, with little patience: a store that is away is weather. Errors:
  /// what the store said, or `unimplemented` when it lacks what hearth needs.
  [[nodiscard]] Status probe();
  /// A piece of maintenance, due or not: probes until it succeeded once, removes what dead
  /// processes left. Failures are logged. Blocks for some seconds at most.
  void step();
  /// nullopt: a local directory, or not known yet.
  [[nodiscard]] std::optional<Guarantees> guarantees() const;
  [[nodiscard]] BucketStats stats() const { return s3_ ? s3_->stats() : BucketStats{}; }
  /// Ends calls that wait for the store, and the probe.
  void shut_down();

 private:
  Bucket(std::string location, const Clock& clock, Random& random)
      : location_(std::move(location)), clock_(clock), random_(random) {}

  const std::string location_;
  bool read_only_ = false;
  const Clock& clock_;
  Random& random_;
  std::shared_ptr<ObjectStore> store_;
  std::shared_ptr<S3Store> s3_;     ///< The same; nullptr for a directory.
  std::shared_ptr<S3Store> probe_;  ///< One that gives up early.

  mutable std::mutex mutex_;
  std::optional<Guarantees> guarantees_;
  int64_t next_probe_ns_ = INT64_MIN;
  int64_t next_cleaning_ns_ = INT64_MIN;
};

}  // namespace hearth::objstore
