#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage/key_sections.h"
#include "storage/owned_symbols.h"
#include "storage/ranking.h"
#include "storage/symbol_order.h"
#include "storage/tree_sections.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {

/// The symbols that some keys use, in the numbering of the format: strings, functions, mappings,
/// locations and label sets sorted and unique, nodes in preorder with children by edge rank. It
/// depends on what is used alone, not on the numbering of the input: equal contents have equal
/// bytes.
struct CanonicalSymbols {
  OwnedSymbols columns;             ///< key_* are empty: ids depend on frequencies.
  RankedEdges edges;                ///< rank is by canonical node.
  KeyList keys;                     ///< In (node, label set) order; classes not chosen yet.
  std::vector<uint32_t> used_keys;  ///< Of the input, ascending.
  std::vector<uint32_t> key_index;  ///< Input key → index in `keys`; of the used ones.
};

/// What is known of the order of the tables of an input: where they are several canonical ones, one
/// behind the other.
struct SymbolRuns {
  SortedRuns strings, functions, mappings, locations, label_sets;
};

/// At most one of the two is known.
struct KnownOrder {
  SymbolRuns runs;
  const SymbolOrder* all = nullptr;
};

/// `key_used` has one entry per key of `in`. `internal` when a used entry refers to something
/// outside its table.
[[nodiscard]] Result<CanonicalSymbols> canonicalise_symbols(const symbols::SymbolTables& in,
                                                            std::span<const uint8_t> key_used,
                                                            const KnownOrder& known = {});

/// Chooses classes, numbers the keys of the list and fills the key columns. `frequency[i]` is the
/// number of profiles, of `profiles`, in which key i of the list occurs. Returns the id of every
/// input key; those not used have a meaningless one.
std::vector<uint32_t> number_keys(std::span<const uint32_t> frequency, size_t profiles,
                                  CanonicalSymbols& symbols);

}  // namespace hearth::storage
