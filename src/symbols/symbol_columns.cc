#include "symbols/symbol_columns.h"

#include <algorithm>

namespace hearth::symbols {

SymbolColumns::SymbolColumns() {
  columns_.strings.push_back("");
  columns_.line_begin.push_back(0);
  add_location({});
  columns_.node_parent.push_back(0);
  columns_.node_location.push_back(0);
  columns_.label_begin.push_back(0);
  add_label_set({});
}

uint32_t SymbolColumns::add_string(std::string_view s) {
  columns_.strings.push_back(bytes_->copy(s));
  return columns_.strings.size32() - 1;
}

uint32_t SymbolColumns::add_function(const Function& f) {
  columns_.function_name.push_back(f.name);
  columns_.function_system_name.push_back(f.system_name);
  columns_.function_file.push_back(f.file);
  columns_.function_start_line.push_back(f.start_line);
  return columns_.function_name.size32() - 1;
}

uint32_t SymbolColumns::add_mapping(const Mapping& m) {
  columns_.mapping_start.push_back(m.start);
  columns_.mapping_limit.push_back(m.limit);
  columns_.mapping_offset.push_back(m.offset);
  columns_.mapping_file.push_back(m.file);
  columns_.mapping_build_id.push_back(m.build_id);
  columns_.mapping_flags.push_back(m.flags);
  return columns_.mapping_start.size32() - 1;
}

uint32_t SymbolColumns::add_location(const Location& l) {
  columns_.location_mapping.push_back(l.mapping);
  columns_.location_address.push_back(l.address);
  columns_.location_folded.push_back(l.folded ? 1 : 0);
  for (const Line& line : l.lines) {
    columns_.line_function.push_back(line.function);
    columns_.line_number.push_back(line.line);
    columns_.line_column.push_back(line.column);
  }
  columns_.line_begin.push_back(columns_.line_function.size32());
  return columns_.location_mapping.size32() - 1;
}

uint32_t SymbolColumns::add_label_set(std::span<const LabelEntry> entries) {
  for (const LabelEntry& e : entries) {
    columns_.label_key.push_back(e.key);
    columns_.label_str.push_back(e.str);
    columns_.label_num.push_back(e.num);
    columns_.label_unit.push_back(e.unit);
  }
  columns_.label_begin.push_back(columns_.label_key.size32());
  return columns_.label_begin.size32() - 2;
}

uint32_t SymbolColumns::add_key(uint32_t node, uint32_t labels) {
  columns_.key_node.push_back(node);
  columns_.key_labels.push_back(labels);
  return columns_.key_node.size32() - 1;
}

void SymbolColumns::fill_to(const TableSizes& sizes) {
  Columns& c = columns_;
  c.strings.fill_to(sizes.strings, {});
  for (auto* column : {&c.function_name, &c.function_system_name, &c.function_file})
    column->fill_to(sizes.functions, 0);
  c.function_start_line.fill_to(sizes.functions, 0);
  for (auto* column : {&c.mapping_start, &c.mapping_limit, &c.mapping_offset})
    column->fill_to(sizes.mappings, 0);
  for (auto* column : {&c.mapping_file, &c.mapping_build_id}) column->fill_to(sizes.mappings, 0);
  c.mapping_flags.fill_to(sizes.mappings, 0);
  c.location_mapping.fill_to(sizes.locations, 0);
  c.location_address.fill_to(sizes.locations, 0);
  c.location_folded.fill_to(sizes.locations, 0);
  c.line_begin.fill_to(sizes.locations + 1, c.line_function.size32());
  c.node_parent.fill_to(sizes.nodes, 0);
  c.node_location.fill_to(sizes.nodes, 0);
  c.label_begin.fill_to(sizes.label_sets + 1, c.label_key.size32());
  c.key_node.fill_to(sizes.keys, 0);
  c.key_labels.fill_to(sizes.keys, 0);
}

void SymbolColumns::drop_incomplete() noexcept {
  const auto level = [](auto&... columns) {
    const size_t size = std::min({columns.size()...});
    (columns.truncate(size), ...);
    return size;
  };
  Columns& c = columns_;
  level(c.function_name, c.function_system_name, c.function_file, c.function_start_line);
  level(c.mapping_start, c.mapping_limit, c.mapping_offset, c.mapping_file, c.mapping_build_id,
        c.mapping_flags);
  // The begin of the next location's lines is what completes one.
  c.location_mapping.truncate(c.line_begin.size() - 1);
  const size_t locations = level(c.location_mapping, c.location_address, c.location_folded);
  c.line_begin.truncate(locations + 1);
  const size_t lines = c.line_begin[locations];
  c.line_function.truncate(lines);
  c.line_number.truncate(lines);
  c.line_column.truncate(lines);
  level(c.node_parent, c.node_location);
  level(c.key_node, c.key_labels);
  const size_t labels = c.label_begin[c.label_begin.size() - 1];
  c.label_key.truncate(labels);
  c.label_str.truncate(labels);
  c.label_num.truncate(labels);
  c.label_unit.truncate(labels);
}

TableSizes SymbolColumns::sizes() const {
  return {columns_.strings.size32(),       columns_.function_name.size32(),
          columns_.mapping_start.size32(), columns_.location_mapping.size32(),
          columns_.node_parent.size32(),   columns_.label_begin.size32() - 1,
          columns_.key_node.size32()};
}

Function SymbolColumns::function(uint32_t id) const {
  return {columns_.function_name[id], columns_.function_system_name[id], columns_.function_file[id],
          columns_.function_start_line[id]};
}

Mapping SymbolColumns::mapping(uint32_t id) const {
  return {columns_.mapping_start[id], columns_.mapping_limit[id],    columns_.mapping_offset[id],
          columns_.mapping_file[id],  columns_.mapping_build_id[id], columns_.mapping_flags[id]};
}

bool SymbolColumns::location_equals(uint32_t id, const Location& l) const {
  const uint32_t begin = columns_.line_begin[id];
  if (columns_.location_mapping[id] != l.mapping || columns_.location_address[id] != l.address ||
      (columns_.location_folded[id] != 0) != l.folded ||
      columns_.line_begin[id + 1] - begin != l.lines.size()) {
    return false;
  }
  for (size_t i = 0; i < l.lines.size(); ++i) {
    const Line& line = l.lines[i];
    if (columns_.line_function[begin + i] != line.function ||
        columns_.line_number[begin + i] != line.line ||
        columns_.line_column[begin + i] != line.column) {
      return false;
    }
  }
  return true;
}

bool SymbolColumns::label_set_equals(uint32_t id, std::span<const LabelEntry> entries) const {
  const uint32_t begin = columns_.label_begin[id];
  if (columns_.label_begin[id + 1] - begin != entries.size()) return false;
  for (size_t i = 0; i < entries.size(); ++i) {
    const size_t at = begin + i;
    const LabelEntry stored{columns_.label_key[at], columns_.label_str[at], columns_.label_num[at],
                            columns_.label_unit[at]};
    if (stored != entries[i]) return false;
  }
  return true;
}

void SymbolColumns::prefetch_function(uint32_t id) const {
  columns_.function_name.prefetch(id);
  columns_.function_system_name.prefetch(id);
  columns_.function_file.prefetch(id);
  columns_.function_start_line.prefetch(id);
}

void SymbolColumns::prefetch_location(uint32_t id) const {
  columns_.line_begin.prefetch(id);
  columns_.location_mapping.prefetch(id);
  columns_.location_address.prefetch(id);
  columns_.location_folded.prefetch(id);
}

void SymbolColumns::prefetch_location_lines(uint32_t id) const {
  const uint32_t begin = columns_.line_begin[id];
  columns_.line_function.prefetch(begin);
  columns_.line_number.prefetch(begin);
  columns_.line_column.prefetch(begin);
}

void SymbolColumns::prefetch_node(uint32_t id) const {
  columns_.node_parent.prefetch(id);
  columns_.node_location.prefetch(id);
}

SymbolTables SymbolColumns::snapshot() const {
  // A copy of the columns shares their buffers: one reference count each, no items.
  struct Owner {
    Columns columns;
    std::shared_ptr<Arena> bytes;
  };
  auto owner = std::make_shared<const Owner>(Owner{columns_, bytes_});
  const Columns& c = owner->columns;
  SymbolTables t;
  t.strings = c.strings.items();
  t.function_name = c.function_name.items();
  t.function_system_name = c.function_system_name.items();
  t.function_file = c.function_file.items();
  t.function_start_line = c.function_start_line.items();
  t.mapping_start = c.mapping_start.items();
  t.mapping_limit = c.mapping_limit.items();
  t.mapping_offset = c.mapping_offset.items();
  t.mapping_file = c.mapping_file.items();
  t.mapping_build_id = c.mapping_build_id.items();
  t.mapping_flags = c.mapping_flags.items();
  t.location_mapping = c.location_mapping.items();
  t.location_address = c.location_address.items();
  t.location_folded = c.location_folded.items();
  t.line_begin = c.line_begin.items();
  t.line_function = c.line_function.items();
  t.line_number = c.line_number.items();
  t.line_column = c.line_column.items();
  t.node_parent = c.node_parent.items();
  t.node_location = c.node_location.items();
  t.key_node = c.key_node.items();
  t.key_labels = c.key_labels.items();
  t.label_begin = c.label_begin.items();
  t.label_key = c.label_key.items();
  t.label_str = c.label_str.items();
  t.label_unit = c.label_unit.items();
  t.label_num = c.label_num.items();
  t.owner = std::move(owner);
  return t;
}

size_t SymbolColumns::memory_bytes() const {
  const auto sum = [](const auto&... columns) { return (columns.memory_bytes() + ...); };
  const Columns& c = columns_;
  return bytes_->bytes_reserved() + sum(c.strings) +
         sum(c.function_name, c.function_system_name, c.function_file, c.function_start_line) +
         sum(c.mapping_start, c.mapping_limit, c.mapping_offset, c.mapping_file, c.mapping_build_id,
             c.mapping_flags) +
         sum(c.location_mapping, c.location_address, c.location_folded) +
         sum(c.line_begin, c.line_function, c.line_number, c.line_column) +
         sum(c.node_parent, c.node_location, c.key_node, c.key_labels) +
         sum(c.label_begin, c.label_key, c.label_str, c.label_unit, c.label_num);
}

}  // namespace hearth::symbols
