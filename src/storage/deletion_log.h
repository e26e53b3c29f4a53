#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "hearth/object_store.h"
#include "storage/deletion.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// All deletions that the bucket lists.
struct FoundDeletions {
  std::vector<Deletion> list;
  std::vector<std::string> damaged;  ///< Why an object is left out.
};
/// Those in `known` are not read again.
[[nodiscard]] Result<FoundDeletions> read_deletions(ObjectStore& bucket,
                                                    std::span<const Deletion> known);

/// The deletions of a bucket, as one process knows them: one immutable object each below `d/`, so
/// that every process can add one and none needs to publish anything. Thread-safe.
class DeletionLog {
 public:
  using List = std::vector<Deletion>;
  struct Options {
    ObjectStore* bucket = nullptr;
    Random* random = nullptr;
    const Clock* clock = nullptr;
    /// Keeps a copy, for starts while the bucket is away.
    std::function<Status(const KvBatch&)> durable_write;
    /// Why this process must not change what is deleted; empty: it may.
    std::string read_only_reason = {};
  };
  explicit DeletionLog(Options options);

  /// What holds now.
  [[nodiscard]] std::shared_ptr<const List> current() const;
  /// Reads the copy.
  [[nodiscard]] Status load(const KvStore& store);
  /// Reads from the bucket what is new, unless that was done in the last 30 s.
  [[nodiscard]] Status refresh_when_due();
  /// Reads it now.
  [[nodiscard]] Status refresh();

  /// Durable in the bucket, and in current(), when it returns. After an error it may be asked for
  /// again; twice does no harm. `unavailable` where this process must not.
  [[nodiscard]] Result<Deletion> add(Deletion deletion);
  /// Its profiles that are still there can be seen again. `id`: as Id128::uuid(); `not_found` when
  /// there is no such deletion.
  [[nodiscard]] Status withdraw(std::string_view id);
  /// Objects that could not be read: what they delete is not known.
  [[nodiscard]] uint64_t damaged() const { return damaged_; }

  /// Datasets of segments that were looked through and have nothing that a deletion deletes.
  [[nodiscard]] bool is_clean(Id128 dataset, Id128 deletion) const;
  void note_clean(Id128 dataset, Id128 deletion);

 private:
  [[nodiscard]] Status check_may_change() const;
  [[nodiscard]] Status replace(List next);

  const Options options_;
  std::mutex change_mutex_;  ///< One change at a time.
  mutable std::mutex mutex_;
  std::shared_ptr<const List> list_ = std::make_shared<const List>();
  std::set<std::pair<Id128, Id128>> clean_;
  int64_t next_refresh_ns_ = INT64_MIN;  ///< By the boot clock.
  std::atomic<uint64_t> damaged_ = 0;
};

}  // namespace hearth::storage
