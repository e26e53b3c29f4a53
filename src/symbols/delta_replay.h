#pragma once

#include "base/result.h"
#include "symbols/lost_symbols.h"
#include "symbols/symbol_columns.h"
#include "symbols/symbol_delta.h"
#include "symbols/symbol_index.h"

namespace hearth::symbols {

/// Entries per table that one gap may have: more is damage, not loss (an epoch ends at a million
/// nodes).
constexpr uint32_t kGapEntriesMax = 1U << 22U;

/// Appends a decoded delta to the tables and, with an index, makes its entries findable, those that
/// refer to lost entries excepted: nothing new may be built on them. `data_loss` when the delta
/// overlaps the tables or its gap is implausible; nothing is changed then.
[[nodiscard]] Status replay_delta(const SymbolDelta& delta, SymbolColumns& columns,
                                  SymbolIndex* index, LostSymbols& lost);

}  // namespace hearth::symbols
