#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "symbols/symbol_tables.h"

namespace hearth::storage {

/// The entries of a dictionary's tables in the order of the format, kept from seal to seal: a seal
/// then takes the used ones out of it and sorts only what came since the last. Entries that are
/// equal are neighbours. Not thread-safe.
class SymbolOrder {
 public:
  /// Takes in the entries of `t` behind those of the last call: the same dictionary, grown.
  void extend(const symbols::SymbolTables& t);

  /// All indexes but the filler of the locations, ascending by what they stand for.
  [[nodiscard]] std::span<const uint32_t> strings() const { return strings_; }
  [[nodiscard]] std::span<const uint32_t> functions() const { return functions_; }
  [[nodiscard]] std::span<const uint32_t> mappings() const { return mappings_; }
  [[nodiscard]] std::span<const uint32_t> locations() const { return locations_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  std::vector<uint32_t> strings_, functions_, mappings_, locations_;
};

}  // namespace hearth::storage
