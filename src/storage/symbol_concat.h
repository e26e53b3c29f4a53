#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage/canonical_symbols.h"
#include "storage/owned_symbols.h"

namespace hearth::storage {

/// The canonical tables of several datasets, one behind the other, as one numbering: what
/// canonicalise_symbols() merges without sorting. Strings are views into the sources.
/// Shape: key k of source s is key key_base[s] + k.
struct ConcatSymbols {
  OwnedSymbols columns;
  SymbolRuns runs;
  std::vector<uint32_t> key_base;
};

/// `too_large` when a table would pass 2^32 entries.
[[nodiscard]] Result<ConcatSymbols> concat_symbols(std::span<const OwnedSymbols* const> sources);

}  // namespace hearth::storage
