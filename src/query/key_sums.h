#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/cancel.h"
#include "base/memory_accountant.h"
#include "base/result.h"
#include "query/scan.h"
#include "query/symbol_cache.h"

namespace hearth::query {

/// A zeroed column of int64 on loan from a pool; goes back when destroyed. Its bytes are charged
/// while it exists.
class ScratchPool {
 public:
  class Column {
   public:
    Column() = default;
    Column(Column&&) = default;
    Column& operator=(Column&&) = default;
    ~Column() {
      if (pool_ != nullptr && !data_.empty())
        pool_->give_back(std::move(data_), std::move(charge_));
    }
    [[nodiscard]] std::span<int64_t> values() { return data_; }
    [[nodiscard]] std::span<const int64_t> values() const { return data_; }

   private:
    friend class ScratchPool;
    ScratchPool* pool_ = nullptr;
    std::vector<int64_t> data_;
    MemoryCharge charge_;
  };

  explicit ScratchPool(MemoryAccountant& memory) : memory_(&memory) {}
  /// `size` zeros. `unavailable` when the memory limit has no room.
  [[nodiscard]] Result<Column> borrow(size_t size);

 private:
  static constexpr size_t kKept = 4;
  static constexpr size_t kKeptBytes = 8U << 20U;  ///< A larger column is freed, not kept.
  struct Spare {
    std::vector<int64_t> data;
    MemoryCharge charge;
  };
  void give_back(std::vector<int64_t> data, MemoryCharge charge);

  MemoryAccountant* memory_;
  std::mutex mutex_;
  std::vector<Spare> spares_;
};

/// The values of a selection, summed over its profiles: by_key[key]. Checks the token every few
/// thousand profiles.
[[nodiscard]] Result<ScratchPool::Column> sum_by_key(const storage::Dataset& dataset,
                                                     const Selection& selection, size_t keys,
                                                     ScratchPool& pool, const CancelToken& token);

}  // namespace hearth::query
