#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "symbols/id_table.h"
#include "symbols/symbol_columns.h"

namespace hearth::symbols {

/// Finds entries of SymbolColumns by content: one hash table per symbol table. Strings, functions,
/// mappings, locations, nodes and label sets are compared in full; a key is equal when the 128-bit
/// seeded hash of its location list and label set is (that removes the walk up the
/// tree, which is most of the cost). The columns are borrowed and outlive the index. Not
/// thread-safe.
class SymbolIndex {
 public:
  SymbolIndex(const SymbolColumns& columns, uint64_t seed);

  [[nodiscard]] uint64_t hash_of(std::string_view s) const;
  [[nodiscard]] uint64_t hash_of(const Function& f) const;
  [[nodiscard]] uint64_t hash_of(const Mapping& m) const;
  [[nodiscard]] uint64_t hash_of(const Location& l) const;
  [[nodiscard]] uint64_t hash_of(std::span<const LabelEntry> entries) const;
  [[nodiscard]] uint64_t hash_of_node(uint32_t parent, uint32_t location) const;
  /// `stack` = location ids, leaf first, and behind them the label set's id.
  [[nodiscard]] Id128 hash_of_key(std::span<const uint32_t> stack_and_labels) const;

  // The id, or IdTable::kNone. `hash` is the content's.
  [[nodiscard]] uint32_t find(uint64_t hash, std::string_view s) const;
  [[nodiscard]] uint32_t find(uint64_t hash, const Function& f) const;
  [[nodiscard]] uint32_t find(uint64_t hash, const Mapping& m) const;
  [[nodiscard]] uint32_t find(uint64_t hash, const Location& l) const;
  [[nodiscard]] uint32_t find(uint64_t hash, std::span<const LabelEntry> entries) const;
  [[nodiscard]] uint32_t find_node(uint64_t hash, uint32_t parent, uint32_t location) const;
  [[nodiscard]] uint32_t find_key(const Id128& hash) const;

  void insert_key(const Id128& hash, uint32_t id);
  void prefetch_key_hash(uint32_t id) const { __builtin_prefetch(&key_hashes_[id]); }
  static uint64_t table_hash(const Id128& key_hash) { return key_hash.hi; }

  IdTable strings, functions, mappings, locations, nodes, label_sets, keys;

  [[nodiscard]] size_t memory_bytes() const;

 private:
  const SymbolColumns& columns_;
  const uint64_t seed_;
  std::vector<Id128> key_hashes_;  ///< By key id; zero for keys that must not be found.
};

}  // namespace hearth::symbols
