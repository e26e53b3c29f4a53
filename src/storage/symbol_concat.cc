#include "storage/symbol_concat.h"

#include <algorithm>

namespace hearth::storage {
namespace {

/// References to a table whose entry 0 is shared by all sources: 0 stays 0, others move up.
void append_shifted(std::vector<uint32_t>& to, std::span<const uint32_t> from, uint32_t base) {
  for (const uint32_t v : from) to.push_back(v == 0 ? 0 : base + v);
}

template <class T>
void append(std::vector<T>& to, std::span<const T> from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// All but entry 0, which the concatenation has already.
template <class T>
std::span<const T> rest(const std::vector<T>& column) {
  return std::span(column).subspan(1);
}

uint32_t base_of(size_t entries_with_first) {
  return static_cast<uint32_t>(entries_with_first - 1);
}

void append_run(SortedRuns& runs, size_t end) {
  runs.push_back(static_cast<uint32_t>(end));
}

class Concatenation {
 public:
  Concatenation() {
    to_.strings.views = {""};
    to_.location_mapping = {0};
    to_.location_address = {0};
    to_.location_folded = {0};
    to_.line_begin = {0, 0};
    to_.node_parent = {0};
    to_.node_location = {0};
    to_.label_begin = {0, 0};
    out_.runs = {{0, 1}, {0}, {0}, {0, 1}, {0, 1}};
  }

  /// Room for all sources: the columns that have many entries.
  void reserve(std::span<const OwnedSymbols* const> sources) {
    size_t nodes = 1;
    size_t keys = 0;
    size_t locations = 1;
    for (const OwnedSymbols* s : sources) {
      nodes += s->node_parent.size();
      keys += s->key_node.size();
      locations += s->location_mapping.size();
    }
    for (auto* column : {&to_.node_parent, &to_.node_location}) column->reserve(nodes);
    for (auto* column : {&to_.key_node, &to_.key_labels}) column->reserve(keys);
    to_.line_begin.reserve(locations + 1);
    for (auto* column : {&to_.location_mapping, &to_.line_function}) column->reserve(locations);
  }

  void add(const OwnedSymbols& from) {
    const uint32_t strings = base_of(to_.strings.views.size());
    append(to_.strings.views, rest(from.strings.views));
    append_run(out_.runs.strings, to_.strings.views.size());
    const auto functions = static_cast<uint32_t>(to_.function_name.size());
    add_functions(from, strings);
    const auto mappings = static_cast<uint32_t>(to_.mapping_start.size());
    add_mappings(from, strings);
    const uint32_t locations = base_of(to_.location_mapping.size());
    add_locations(from, functions, mappings);
    const uint32_t sets = base_of(to_.label_begin.size() - 1);
    add_label_sets(from, strings);
    add_stacks(from, locations, sets);
  }

  ConcatSymbols take() { return std::move(out_); }

 private:
  void add_functions(const OwnedSymbols& from, uint32_t strings) {
    append_shifted(to_.function_name, from.function_name, strings);
    append_shifted(to_.function_system_name, from.function_system_name, strings);
    append_shifted(to_.function_file, from.function_file, strings);
    append<int64_t>(to_.function_start_line, from.function_start_line);
    append_run(out_.runs.functions, to_.function_name.size());
  }

  void add_mappings(const OwnedSymbols& from, uint32_t strings) {
    append<uint64_t>(to_.mapping_start, from.mapping_start);
    append<uint64_t>(to_.mapping_limit, from.mapping_limit);
    append<uint64_t>(to_.mapping_offset, from.mapping_offset);
    append_shifted(to_.mapping_file, from.mapping_file, strings);
    append_shifted(to_.mapping_build_id, from.mapping_build_id, strings);
    append<uint8_t>(to_.mapping_flags, from.mapping_flags);
    append_run(out_.runs.mappings, to_.mapping_start.size());
  }

  void add_locations(const OwnedSymbols& from, uint32_t functions, uint32_t mappings) {
    append_shifted(to_.location_mapping, rest(from.location_mapping), mappings);
    append(to_.location_address, rest(from.location_address));
    append(to_.location_folded, rest(from.location_folded));
    const auto lines = static_cast<uint32_t>(to_.line_function.size());
    // Location 0 has no lines, so the second boundary is where location 1 begins.
    for (size_t l = 2; l < from.line_begin.size(); ++l)
      to_.line_begin.push_back(lines + from.line_begin[l]);
    for (const uint32_t f : from.line_function) to_.line_function.push_back(functions + f);
    append<int64_t>(to_.line_number, from.line_number);
    append<int64_t>(to_.line_column, from.line_column);
    append_run(out_.runs.locations, to_.location_mapping.size());
  }

  void add_label_sets(const OwnedSymbols& from, uint32_t strings) {
    const auto labels = static_cast<uint32_t>(to_.label_key.size());
    for (size_t s = 2; s < from.label_begin.size(); ++s)
      to_.label_begin.push_back(labels + from.label_begin[s]);
    append_shifted(to_.label_key, from.label_key, strings);
    append_shifted(to_.label_str, from.label_str, strings);
    append_shifted(to_.label_unit, from.label_unit, strings);
    append<int64_t>(to_.label_num, from.label_num);
    append_run(out_.runs.label_sets, to_.label_begin.size() - 1);
  }

  void add_stacks(const OwnedSymbols& from, uint32_t locations, uint32_t sets) {
    const uint32_t nodes = base_of(to_.node_parent.size());
    append_shifted(to_.node_parent, rest(from.node_parent), nodes);
    append_shifted(to_.node_location, rest(from.node_location), locations);
    out_.key_base.push_back(static_cast<uint32_t>(to_.key_node.size()));
    append_shifted(to_.key_node, from.key_node, nodes);
    append_shifted(to_.key_labels, from.key_labels, sets);
  }

  ConcatSymbols out_;
  OwnedSymbols& to_ = out_.columns;
};

}  // namespace

Result<ConcatSymbols> concat_symbols(std::span<const OwnedSymbols* const> sources) {
  uint64_t entries = 0;
  for (const OwnedSymbols* s : sources) {
    entries += s->strings.views.size() + s->function_name.size() + s->line_function.size() +
               s->location_mapping.size() + s->node_parent.size() + s->key_node.size() +
               s->label_key.size() + s->label_begin.size();
  }
  if (entries >= UINT32_MAX) {
    return fail(ErrorCode::too_large, "merge symbols: more than 2^32 entries in all sources");
  }
  Concatenation all;
  all.reserve(sources);
  for (const OwnedSymbols* s : sources) all.add(*s);
  return all.take();
}

}  // namespace hearth::storage
