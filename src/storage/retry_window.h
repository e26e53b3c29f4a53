#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <deque>

#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/kv_store.h"

namespace hearth::storage {

/// Profile ids accepted in the last minutes: a repeated one is a retry and counts once
/// (docs/write_pipeline.md). Ids are grouped in numbered slots; a slot ends after a fifteenth of
/// the window or when it is full, and the window is the last sixteen. Slot numbers, not clocks, are
/// stored, so a clock that jumps forgets nothing. Not thread-safe: guarded by the store's order
/// lock.
class RetryWindow {
 public:
  static constexpr size_t kSlots = 16;
  static constexpr size_t kIdsPerSlotMax = 65'536;

  RetryWindow(int64_t window_ns, int64_t boot_ns, uint64_t seed, MemoryAccountant& memory);

  /// Reads the ids that an earlier life stored and starts a new slot behind them.
  [[nodiscard]] Status load(const KvStore& store);
  [[nodiscard]] bool contains(uint32_t tenant, Id128 id) const;
  /// False when the id was there already.
  bool insert(uint32_t tenant, Id128 id);
  /// Ends the slot when its time is over; call now and then with the boot clock.
  void tick(int64_t boot_ns);
  /// The slot that inserted ids belong to now.
  [[nodiscard]] uint64_t slot() const { return slot_; }
  /// Slots below this one are forgotten; their keys can be deleted.
  [[nodiscard]] uint64_t oldest_slot() const { return slot_ + 1 - slots_.size(); }
  [[nodiscard]] size_t size() const;

 private:
  struct Hash {
    uint64_t seed;
    size_t operator()(const Id128& id) const;
  };
  using Slot = boost::unordered_flat_set<Id128, Hash>;

  [[nodiscard]] Id128 entry(uint32_t tenant, Id128 id) const;
  void next_slot();
  void charge();

  const int64_t slot_ns_;
  const uint64_t seed_;
  MemoryAccountant& memory_;
  MemoryCharge charge_;
  uint64_t slot_ = 0;
  int64_t slot_began_ns_;
  std::deque<Slot> slots_;  ///< Oldest first; the last one is open.
};

}  // namespace hearth::storage
