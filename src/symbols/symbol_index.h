#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/hash.h"
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

  [[nodiscard]] uint64_t hash_of(std::string_view s) const { return hash64(s, seed_); }
  [[nodiscard]] uint64_t hash_of(const Function& f) const {
    return mix(mix(pair(f.name, f.system_name), f.file, 0), static_cast<uint64_t>(f.start_line), 2);
  }
  [[nodiscard]] uint64_t hash_of(const Mapping& m) const;
  [[nodiscard]] uint64_t hash_of(const Location& l) const {
    const uint64_t shape = static_cast<uint64_t>(l.lines.size()) << 1U | (l.folded ? 1U : 0U);
    uint64_t hash = mix(mix(l.address, shape, 0), l.mapping, 2);
    for (const Line& line : l.lines) {
      hash =
          mix(hash ^ mix(static_cast<uint64_t>(line.line), static_cast<uint64_t>(line.column), 4),
              line.function, 2);
    }
    return hash;
  }
  [[nodiscard]] uint64_t hash_of(std::span<const LabelEntry> entries) const;
  [[nodiscard]] uint64_t hash_of_node(uint32_t parent, uint32_t location) const {
    return mix(pair(parent, location), 0, 0);
  }
  /// `stack` = location ids, leaf first, and behind them the label set's id.
  [[nodiscard]] Id128 hash_of_key(std::span<const uint32_t> stack_and_labels) const;

  // The id, or IdTable::kNone. `hash` is the content's.
  [[nodiscard]] uint32_t find(uint64_t hash, std::string_view s) const;
  [[nodiscard]] uint32_t find(uint64_t hash, const Function& f) const;
  [[nodiscard]] uint32_t find(uint64_t hash, const Mapping& m) const;
  [[nodiscard]] uint32_t find(uint64_t hash, const Location& l) const;
  [[nodiscard]] uint32_t find(uint64_t hash, std::span<const LabelEntry> entries) const;
  [[nodiscard]] bool equals(uint32_t id, std::string_view s) const {
    return columns_.string(id) == s;
  }
  [[nodiscard]] bool equals(uint32_t id, const Function& f) const {
    return columns_.function(id) == f;
  }
  [[nodiscard]] bool equals(uint32_t id, const Location& l) const {
    return columns_.location_equals(id, l);
  }
  [[nodiscard]] bool is_child(uint32_t id, uint32_t parent, uint32_t location) const {
    return columns_.node_parent(id) == parent && columns_.node_location(id) == location;
  }
  [[nodiscard]] bool key_equals(uint32_t id, const Id128& hash) const {
    return key_hashes_.data()[id] == hash;
  }
  [[nodiscard]] uint32_t find_node(uint64_t hash, uint32_t parent, uint32_t location) const;
  [[nodiscard]] uint32_t find_key(const Id128& hash) const;

  void insert_key(const Id128& hash, uint32_t id);
  void prefetch_key_hash(uint32_t id) const { __builtin_prefetch(key_hashes_.data() + id); }
  static uint64_t table_hash(const Id128& key_hash) { return key_hash.hi; }

  IdTable strings, functions, mappings, locations, nodes, label_sets, keys;

  [[nodiscard]] size_t memory_bytes() const;

 private:
  static uint64_t pair(uint32_t high, uint32_t low) {
    return static_cast<uint64_t>(high) << 32U | low;
  }
  /// Mixes two words under the secret words `secret` and `secret` + 1.
  [[nodiscard]] uint64_t mix(uint64_t a, uint64_t b, size_t secret) const {
    return fold_multiply(a ^ secrets_[secret], b ^ secrets_[secret + 1]);
  }

  const SymbolColumns& columns_;
  const uint64_t seed_;
  std::array<uint64_t, 6> secrets_;  ///< Of the seed, odd.
  std::vector<Id128> key_hashes_;    ///< By key id; zero for keys that must not be found.
};

}  // namespace hearth::symbols
