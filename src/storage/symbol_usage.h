#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {

/// Which entries of each table are reachable from a set of keys; one byte per entry, 1 = used.
/// String 0, location 0, node 0 and label set 0 are always used.
struct SymbolUsage {
  std::vector<uint8_t> strings, functions, mappings, locations, nodes, label_sets;
};

/// Walks keys → nodes → locations → functions and mappings → strings. `internal` when an index is
/// outside its table: tables come from a dictionary or a verified segment, so that is a bug, but
/// one that must not reach a file.
[[nodiscard]] Result<SymbolUsage> mark_used(const symbols::SymbolTables& t,
                                            std::span<const uint8_t> key_used);

}  // namespace hearth::storage
