#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "query/projection.h"
#include "storage/dataset.h"

namespace hearth::query {

/// Projections of dictionaries and datasets, and the decoded symbols of segments, least recently
/// used first out, within a byte budget that is charged to the accountant (docs/queries.md). A
/// growing dictionary's projection is extended in place. Thread-safe.
class SymbolCache {
  struct Entry {
    std::shared_mutex mutex;  ///< Guards the rest; a lease holds it shared, a change alone.
    Projection projection;
    std::shared_ptr<const symbols::SymbolTables> tables;  ///< Where decoding them costs something.
    MemoryCharge charge;
  };

 public:
  SymbolCache(MemoryAccountant& memory, size_t budget_bytes)
      : memory_(&memory), budget_(budget_bytes) {}

  /// Symbols of one dataset and their projection, which covers all of them. The projection may
  /// cover more, when somebody reads a later snapshot of the same dictionary. It does not change
  /// while the lease lives; keep it for one query only.
  class Lease {
   public:
    [[nodiscard]] const symbols::SymbolTables& tables() const { return *tables_; }
    [[nodiscard]] const std::shared_ptr<const symbols::SymbolTables>& shared_tables() const {
      return tables_;
    }
    [[nodiscard]] const Projection& projection() const { return entry_->projection; }

   private:
    friend class SymbolCache;
    std::shared_ptr<const symbols::SymbolTables> tables_;
    std::shared_ptr<Entry> entry_;
    std::shared_lock<std::shared_mutex> lock_;
  };
  /// `data_loss` when the dataset's symbols are damaged, `unavailable` when the memory limit has no
  /// room.
  [[nodiscard]] Result<Lease> get(const storage::Dataset& dataset);
  /// Bytes kept now.
  [[nodiscard]] size_t bytes() const;

 private:
  struct IdHash {
    size_t operator()(const Id128& id) const { return id.hi ^ id.lo * 0x9E3779B97F4A7C15U; }
  };
  struct Slot {
    Id128 id;
    std::shared_ptr<Entry> entry;
    size_t bytes = 0;
  };
  std::shared_ptr<Entry> find_or_add(const Id128& id);
  Status load(Entry& entry, const storage::Dataset& dataset, Lease& lease);
  static bool complete(Lease& lease);
  void account(const Id128& id, const std::shared_ptr<Entry>& entry);

  MemoryAccountant* memory_;
  size_t budget_;
  mutable std::mutex mutex_;
  size_t bytes_ = 0;
  std::list<Slot> recent_;  ///< Most recently used first.
  std::unordered_map<Id128, std::list<Slot>::iterator, IdHash> by_id_;
};

}  // namespace hearth::query
