#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "symbols/symbol_columns.h"
#include "symbols/symbol_tables.h"

namespace hearth::symbols {

/// Everything a dictionary gained between two moments, decoded. Format: docs/symbols.md.
struct SymbolDelta {
  TableSizes before;  ///< Sizes of the tables that the entries follow.
  TableSizes after;

  std::vector<std::string_view> strings;  ///< Views into the decoded bytes.
  std::vector<Function> functions;
  std::vector<Mapping> mappings;
  struct LocationEntry {
    uint32_t mapping = 0;
    bool folded = false;
    uint64_t address = 0;
    size_t line_begin = 0, line_end = 0;  ///< In `lines`.
  };
  std::vector<LocationEntry> locations;
  std::vector<Line> lines;
  struct Node {
    uint32_t parent = 0, location = 0;
  };
  std::vector<Node> nodes;
  std::vector<size_t> label_begin = {
      0};  ///< Label sets of the delta own [label_begin[i], label_begin[i + 1]) of `labels`.
  std::vector<LabelEntry> labels;
  struct Key {
    uint32_t node = 0, labels = 0;
  };
  std::vector<Key> keys;

  [[nodiscard]] Location location(size_t i) const {
    const LocationEntry& l = locations[i];
    return {l.mapping, l.address, l.folded,
            std::span(lines).subspan(l.line_begin, l.line_end - l.line_begin)};
  }
  [[nodiscard]] std::span<const LabelEntry> label_set(size_t i) const {
    return std::span(labels).subspan(label_begin[i], label_begin[i + 1] - label_begin[i]);
  }
};

/// The entries of `tables` behind `before`, as bytes; empty when there are none.
[[nodiscard]] std::string encode_delta(const SymbolTables& tables, const TableSizes& before,
                                       const TableSizes& after);
/// Checks everything that can be checked without the tables: past it every reference is below the
/// sizes `after`, and a node's parent is an older node. `data_loss` otherwise. The result's strings
/// are views into `bytes`.
[[nodiscard]] Result<SymbolDelta> decode_delta(std::string_view bytes);

}  // namespace hearth::symbols
