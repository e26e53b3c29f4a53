#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
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
  static constexpr size_t kKeptBytes = 16U << 20U;  ///< A larger column is freed, not kept.
  struct Spare {
    std::vector<int64_t> data;
    MemoryCharge charge;
  };
  void give_back(std::vector<int64_t> data, MemoryCharge charge);

  MemoryAccountant* memory_;
  std::mutex mutex_;
  std::vector<Spare> spares_;
};

/// The profiles of a selection in steps of some 100,000 rows, cut where blocks of rows begin. The
/// steps point into the selection.
std::vector<std::span<const uint32_t>> row_steps(const Selection& selection);

/// Values of a selection, summed by key by several threads: each has a column of its own.
class KeySums {
 public:
  /// `workers` threads. Borrows everything.
  /// With `side`, which outlives this, only what that selects.
  KeySums(const storage::Dataset& dataset, size_t type, size_t keys, size_t workers,
          ScratchPool& pool, const storage::SideSelector* side = nullptr)
      : dataset_(dataset), type_(type), keys_(keys), pool_(pool), side_(side), columns_(workers) {}
  [[nodiscard]] Status add(size_t worker, std::span<const uint32_t> profiles);
  /// by_key[key]; ends the object's use.
  [[nodiscard]] Result<ScratchPool::Column> finish();

 private:
  const storage::Dataset& dataset_;
  const size_t type_, keys_;
  ScratchPool& pool_;
  const storage::SideSelector* const side_;
  std::vector<std::optional<ScratchPool::Column>> columns_;  ///< By worker; none: it added nothing.
};

}  // namespace hearth::query
