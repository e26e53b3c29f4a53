#include "query/key_sums.h"

#include <algorithm>

namespace hearth::query {

Result<ScratchPool::Column> ScratchPool::borrow(size_t size) {
  Column column;
  column.pool_ = this;
  {
    const std::lock_guard lock(mutex_);
    if (!spares_.empty()) {
      column.data_ = std::move(spares_.back().data);
      column.charge_ = std::move(spares_.back().charge);
      spares_.pop_back();
    }
  }
  const size_t bytes = std::max(size, column.data_.capacity()) * sizeof(int64_t);
  if (column.charge_.bytes() == 0) {
    HEARTH_ASSIGN_OR_RETURN(column.charge_, memory_->charge(bytes, "sums of a query"));
  } else {
    HEARTH_RETURN_IF_ERROR(column.charge_.resize(bytes));
  }
  column.data_.assign(size, 0);
  return column;
}

void ScratchPool::give_back(std::vector<int64_t> data, MemoryCharge charge) {
  if (data.capacity() * sizeof(int64_t) > kKeptBytes || memory_->should_shed()) return;
  const std::lock_guard lock(mutex_);
  if (spares_.size() < kKept) spares_.push_back({std::move(data), std::move(charge)});
}

Result<ScratchPool::Column> sum_by_key(const storage::Dataset& dataset, const Selection& selection,
                                       size_t keys, ScratchPool& pool, const CancelToken& token) {
  // Long enough that a row block cut in two, which is decoded twice, does not show; short enough to
  // stop within milliseconds.
  constexpr size_t kProfilesPerStep = 4096;
  HEARTH_ASSIGN_OR_RETURN(auto sums, pool.borrow(keys));
  const std::span<const uint32_t> chosen(selection.profiles);
  for (size_t at = 0; at < chosen.size(); at += kProfilesPerStep) {
    HEARTH_RETURN_IF_ERROR(token.check());
    const auto step = chosen.subspan(at, std::min(kProfilesPerStep, chosen.size() - at));
    HEARTH_RETURN_IF_ERROR(dataset.add_rows(step, selection.type, sums.values()));
  }
  return sums;
}

}  // namespace hearth::query
