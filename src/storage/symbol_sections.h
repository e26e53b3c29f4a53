#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/owned_symbols.h"
#include "symbols/symbol_tables.h"

/// FUNC, MAP and LOC. The encoders take tables in canonical order (sorted, unique) and append; the
/// decoders fill their columns of `out`, need what stands before them in the file (strings, then
/// functions and mappings) and answer `data_loss` for bytes that cannot be true: an index outside
/// its table, an order that is not the canonical one, bytes left over.
namespace hearth::storage {

/// varint n, u8 flags (1: a column of n flag bytes ends the section), svb name, svb system name + 1
/// (0 = the name), svb file, zigzag vcol start line. Sorted by (name, system name, file, start
/// line) as string indexes.
[[nodiscard]] Status encode_functions(const symbols::SymbolTables& t, std::string& out);
[[nodiscard]] Status decode_functions(std::string_view raw, OwnedSymbols& out);

/// vec of {varint start, limit, offset, file, build id, u8 flags}, sorted by these.
[[nodiscard]] Status encode_mappings(const symbols::SymbolTables& t, std::string& out);
[[nodiscard]] Status decode_mappings(std::string_view raw, OwnedSymbols& out);

/// varint n, u8 flags (1: folded bytes, 2: columns, 4: addresses of all locations), svb mapping +
/// 1, svb line count, [folded bytes], vcol address deltas (from the previous one of the same
/// mapping, else from 0; without flag 4 only of locations without lines), svb line function, zigzag
/// vcol line, [zigzag vcol column]. Numbered 1…n; sorted by (mapping, address, lines, folded),
/// unique.
[[nodiscard]] Status encode_locations(const symbols::SymbolTables& t, std::string& out);
[[nodiscard]] Status decode_locations(std::string_view raw, OwnedSymbols& out);

/// Order of two locations of the same tables: mapping, address, lines (function, line, column),
/// folded.
[[nodiscard]] int compare_locations(const symbols::SymbolTables& t, size_t a, size_t b);

}  // namespace hearth::storage
