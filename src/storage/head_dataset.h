#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "storage/dataset.h"
#include "storage/head_generation.h"

namespace hearth::storage {

/// A group of the head as it was when the view was taken. What a query asks for is built then,
/// once.
class HeadDataset final : public Dataset {
 public:
  /// Under the contents' lock.
  explicit HeadDataset(std::shared_ptr<const HeadGroup> group);

  const DatasetInfo& info() const override { return info_; }
  bool may_have_label(std::string_view name, std::string_view value) const override;
  Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override;
  Result<std::shared_ptr<const ProfileColumns>> profiles() const override;
  Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const override;
  Status add_rows(std::span<const uint32_t> chosen, size_t type,
                  std::span<int64_t> by_key) const override;
  bool has_side() const override { return has_side_; }
  Status add_side_rows(std::span<const uint32_t> chosen, size_t type, const SideSelector& selector,
                       std::span<int64_t> by_key) const override;
  uint64_t stored_bytes() const override { return bytes_; }
  Id128 symbols_id() const override { return group_->epoch()->identity().symbols; }

 private:
  [[nodiscard]] Status index_series() const;

  const std::shared_ptr<const HeadGroup> group_;
  std::vector<const HeadRecord*> records_;
  DatasetInfo info_;
  uint64_t bytes_ = 0;
  bool has_side_ = false;

  mutable std::mutex mutex_;  ///< Guards what follows: built on first use.
  mutable std::shared_ptr<const std::vector<LabelSet>> series_;
  mutable std::vector<uint32_t> series_of_;  ///< Per record.
  mutable std::shared_ptr<const ProfileColumns> profiles_;
  mutable std::shared_ptr<const symbols::SymbolTables> symbols_;
};

}  // namespace hearth::storage
