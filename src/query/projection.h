#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "query/path_table.h"
#include "symbols/symbol_tables.h"

namespace hearth::query {

/// The function tree of one dictionary or dataset: its tree of locations with lines expanded to
/// frames (the last line is the outermost) and nodes with equal paths of names made one. It depends
/// on symbols only, so it is kept between queries.
///
/// Shape:  function node 0 is the root; parent[i] < i. `name[i]` indexes `name_string` (index into
/// the tables' strings) and
///         `name_hash` (hash64 of the text with the process's seed). `function_node[n]` is what
///         location node n projects to: nodes whose locations have no lines fall onto their
///         parents.
/// Grows:  extend() takes a later snapshot of the same tables and adds what is new; ids never
/// change.
struct Projection {
  void extend(const symbols::SymbolTables& tables);
  /// For tables that never grow: puts the function nodes into the canonical order of a
  /// FunctionTree, so that trees made of them need no sorting, and frees what only extend() needs.
  /// No extend() after it.
  void settle(const symbols::SymbolTables& tables);
  /// Location nodes covered, the root included.
  [[nodiscard]] size_t covered() const { return function_node.size(); }
  [[nodiscard]] size_t size() const { return parent.size(); }
  [[nodiscard]] size_t memory_bytes() const;

  std::vector<uint32_t> function_node;
  std::vector<uint32_t> parent, name;
  std::vector<uint32_t> name_string;
  std::vector<uint64_t> name_hash;

 private:
  uint32_t name_of(const symbols::SymbolTables& tables, uint32_t function);
  uint32_t child(uint32_t of, uint32_t its_name);

  std::vector<uint32_t> string_name_;  ///< String → name + 1; 0 = not a name yet.
  PathTable paths_;
};

}  // namespace hearth::query
