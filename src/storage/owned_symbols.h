#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/string_section.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {

/// The columns of SymbolTables, owned. What a segment's sections decode to, and what the canonical
/// form is built in. `key_class` is not part of SymbolTables: the class byte of each key, from
/// which ids follow (docs/segment_format.md).
struct OwnedSymbols {
  StringColumn strings;
  std::vector<uint32_t> function_name, function_system_name, function_file;
  std::vector<int64_t> function_start_line;
  std::vector<uint64_t> mapping_start, mapping_limit, mapping_offset;
  std::vector<uint32_t> mapping_file, mapping_build_id;
  std::vector<uint8_t> mapping_flags;
  std::vector<uint32_t> location_mapping;
  std::vector<uint64_t> location_address;
  std::vector<uint8_t> location_folded;
  std::vector<uint32_t> line_begin, line_function;
  std::vector<int64_t> line_number, line_column;
  std::vector<uint32_t> node_parent, node_location;
  std::vector<uint32_t> key_node, key_labels;
  std::vector<uint8_t> key_class;
  std::vector<uint32_t> label_begin;
  std::vector<uint32_t> label_key, label_str, label_unit;
  std::vector<int64_t> label_num;

  /// Views of these columns, valid as long as they are not changed; `owner` is left empty.
  [[nodiscard]] symbols::SymbolTables view() const;
};

/// Tables that own their columns.
std::shared_ptr<const symbols::SymbolTables> share_tables(
    std::shared_ptr<const OwnedSymbols> columns);

}  // namespace hearth::storage
