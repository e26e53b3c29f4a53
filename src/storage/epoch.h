#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "hearth/profile.h"
#include "storage/kv_store.h"
#include "storage/symbol_order.h"
#include "symbols/dictionary.h"

namespace hearth::storage {

/// Whose rows, under which dictionary: a (tenant, service) for a while. Rows of an epoch refer to
/// the symbols of its dictionary and of no other. Thread-safe.
class Epoch {
 public:
  struct Identity {
    uint64_t number = 0;  ///< Unique in the data directory.
    uint32_t tenant = 0, service = 0;
    std::string tenant_name, service_name;
    Id128 symbols;  ///< Unique in the process, for caches.
  };
  /// `recovered_from`: the epoch of an earlier life, whose deltas are read on first need.
  /// The dictionary's memory is charged to `memory` and, for its own limit, to `dictionaries`.
  Epoch(Identity identity, uint64_t seed, int64_t boot_ns, MemoryAccountant& memory,
        std::shared_ptr<MemoryAccountant> dictionaries, const KvStore* recovered_from);

  [[nodiscard]] const Identity& identity() const { return identity_; }

  /// Keys of all samples of `batch`. The caller holds the service's lock until the rows and
  /// pending_delta() have their place in the commit queue.
  void map(const ProfileBatch& batch, std::vector<uint32_t>& keys, symbols::MapScratch& scratch);
  /// What is new since delta_written(); "" when nothing is.
  [[nodiscard]] std::string pending_delta();
  /// The last pending_delta() has its place in the commit queue.
  void delta_written() noexcept;
  /// Numbers the records of this epoch; called under the service's lock.
  [[nodiscard]] uint64_t next_sequence() { return sequence_++; }

  /// The symbols as they are now; reads the deltas first where that was not done yet.
  [[nodiscard]] Result<std::shared_ptr<const symbols::SymbolTables>> tables();
  /// The same, and their order, which is kept for the next call and lives as long as the epoch. For
  /// the one thread that seals.
  struct Ordered {
    std::shared_ptr<const symbols::SymbolTables> tables;
    const SymbolOrder* order = nullptr;
  };
  [[nodiscard]] Result<Ordered> ordered_tables();
  /// False when a lost delta leaves one of the keys without meaning. After tables() only.
  [[nodiscard]] bool knows(const std::vector<uint32_t>& keys) const;

  /// No more rows come: when a younger epoch takes over, and from the start when recovered. Gives
  /// back the memory that only mapping needs.
  void end();
  [[nodiscard]] bool ended() const { return ended_; }
  /// Rows that are in the head, on their way there or being sealed.
  std::atomic<uint64_t> unsealed = 0;

  [[nodiscard]] int64_t began_ns() const { return began_ns_; }
  [[nodiscard]] size_t nodes() const { return nodes_; }
  [[nodiscard]] size_t keys() const { return keys_; }
  [[nodiscard]] size_t memory_bytes() const { return memory_bytes_; }

 private:
  [[nodiscard]] Status load();
  void measure();

  const Identity identity_;
  const int64_t began_ns_;
  MemoryAccountant& memory_;
  const std::shared_ptr<MemoryAccountant> dictionaries_;
  mutable std::mutex mutex_;  ///< Guards dictionary_, to_load_, order_bytes_, the charges; inside
                              ///< the service's lock.
  symbols::Dictionary dictionary_;
  const KvStore* to_load_;
  MemoryCharge charge_, dictionary_charge_;
  SymbolOrder order_;  ///< Of the thread that seals.
  size_t order_bytes_ = 0;
  uint64_t sequence_ = 0;
  std::atomic<bool> ended_;
  std::atomic<size_t> nodes_ = 0, keys_ = 0, memory_bytes_ = 0;
};

}  // namespace hearth::storage
