#include "storage/owned_symbols.h"

namespace hearth::storage {

symbols::SymbolTables OwnedSymbols::view() const {
  symbols::SymbolTables t;
  t.strings = strings.views;
  t.function_name = function_name;
  t.function_system_name = function_system_name;
  t.function_file = function_file;
  t.function_start_line = function_start_line;
  t.mapping_start = mapping_start;
  t.mapping_limit = mapping_limit;
  t.mapping_offset = mapping_offset;
  t.mapping_file = mapping_file;
  t.mapping_build_id = mapping_build_id;
  t.mapping_flags = mapping_flags;
  t.location_mapping = location_mapping;
  t.location_address = location_address;
  t.location_folded = location_folded;
  t.line_begin = line_begin;
  t.line_function = line_function;
  t.line_number = line_number;
  t.line_column = line_column;
  t.node_parent = node_parent;
  t.node_location = node_location;
  t.key_node = key_node;
  t.key_labels = key_labels;
  t.label_begin = label_begin;
  t.label_key = label_key;
  t.label_str = label_str;
  t.label_unit = label_unit;
  t.label_num = label_num;
  return t;
}

std::shared_ptr<const symbols::SymbolTables> share_tables(
    std::shared_ptr<const OwnedSymbols> columns) {
  auto tables = std::make_shared<symbols::SymbolTables>(columns->view());
  tables->owner = std::move(columns);
  return tables;
}

}  // namespace hearth::storage
