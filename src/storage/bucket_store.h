#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "storage/compaction.h"
#include "storage/contents.h"
#include "storage/deletion_log.h"
#include "storage/segment_catalog.h"
#include "storage/store.h"

namespace hearth::storage {

/// A store that has nothing of its own: it sees what is in the bucket, as of its last look, and
/// takes no profiles. What a query process and a compacting process are made of; losing one loses
/// nothing. Only the options of the bucket, of compaction and of the look are used. A bucket that
/// is away now is read later: until then views are `unavailable`. Thread-safe.
class BucketStore final : public Store {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Store>> open(Options options);

  Result<AppendOutcome> append(const Tenant& tenant,
                               std::span<const AppendProfile> profiles) override;
  Result<View> view(const Tenant& tenant, const ViewQuery& query) override;
  /// There is never anything to seal.
  Result<uint64_t> seal() override { return 0; }
  Status step() override { return {}; }
  Result<CompactOutcome> compact(bool force, const CancelToken& cancel) override;
  Status compact_step(const CancelToken& cancel) override;
  StoreStats stats() const override;
  DeletionLog* deletions() override { return &deletions_; }
  Result<std::optional<std::string>> meta_get(std::string_view kind, const Tenant& tenant,
                                              std::string_view name) override;
  Status meta_put(std::string_view kind, const Tenant& tenant, std::string_view name,
                  std::string_view value) override;
  std::optional<std::string> not_ready_reason() const override;

 private:
  explicit BucketStore(Options options);
  [[nodiscard]] std::optional<std::string> stale_reason() const;

  const Options options_;
  Contents contents_;
  SegmentReaders readers_;
  DeletionLog deletions_;
  Compaction compaction_;
  std::atomic<uint64_t> corrupt_objects_ = 0;
};

}  // namespace hearth::storage
