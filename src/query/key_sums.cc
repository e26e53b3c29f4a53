#include "query/key_sums.h"

#include <algorithm>

#include "base/saturate.h"

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

std::vector<std::span<const uint32_t>> row_steps(const Selection& selection) {
  // A tenth of a millisecond: a cancelled query stops soon, and two threads end together.
  constexpr uint64_t kRowsPerStep = 100'000;
  const std::span<const uint32_t> chosen(selection.profiles);
  const auto& blocks = selection.columns->row_blocks;
  std::vector<std::span<const uint32_t>> steps;
  size_t begin = 0;
  uint64_t rows = 0;
  auto next_block = blocks.begin();
  for (size_t i = 0; i < chosen.size(); ++i) {
    bool cut = blocks.empty();
    for (; next_block != blocks.end() && *next_block <= chosen[i]; ++next_block) cut = true;
    if (cut && rows >= kRowsPerStep) {
      steps.push_back(chosen.subspan(begin, i - begin));
      begin = i;
      rows = 0;
    }
    rows += selection.columns->rows[chosen[i]];
  }
  if (begin < chosen.size()) steps.push_back(chosen.subspan(begin));
  return steps;
}

Status KeySums::add(size_t worker, std::span<const uint32_t> profiles) {
  auto& column = columns_[worker];
  if (!column) {
    HEARTH_ASSIGN_OR_RETURN(column, pool_.borrow(keys_));
  }
  if (side_ != nullptr) return dataset_.add_side_rows(profiles, type_, *side_, column->values());
  return dataset_.add_rows(profiles, type_, column->values());
}

Result<ScratchPool::Column> KeySums::finish() {
  std::optional<ScratchPool::Column> sums;
  for (auto& column : columns_) {
    if (!column) continue;
    if (!sums) {
      sums = std::move(column);
      continue;
    }
    const std::span<int64_t> to = sums->values();
    const std::span<const int64_t> from = column->values();
    for (size_t key = 0; key < keys_; ++key) to[key] = add_saturating(to[key], from[key]);
  }
  if (!sums) return pool_.borrow(keys_);
  return std::move(*sums);
}

}  // namespace hearth::query
