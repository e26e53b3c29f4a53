#include "storage/symbol_usage.h"

#include <fmt/format.h>

namespace hearth::storage {
namespace {

/// Marks entries and remembers the first index outside a table.
class Marker {
 public:
  void mark(std::vector<uint8_t>& used, uint64_t index, const char* table) {
    if (index < used.size()) {
      used[index] = 1;
    } else if (wrong_ == nullptr) {
      wrong_ = table;
      index_ = index;
    }
  }
  [[nodiscard]] Status status() const {
    if (wrong_ == nullptr) return {};
    return fail(ErrorCode::internal,
                fmt::format("write dataset: {} {} is outside its table", wrong_, index_));
  }

 private:
  const char* wrong_ = nullptr;
  uint64_t index_ = 0;
};

void mark_stacks(const symbols::SymbolTables& t, std::span<const uint8_t> key_used, Marker& marker,
                 SymbolUsage& used) {
  for_each_used(key_used, [&](uint32_t k) {
    marker.mark(used.label_sets, t.key_labels[k], "label set");
    marker.mark(used.nodes, t.key_node[k], "node");
  });
  // Parents have smaller ids than their children, so one way down through the table marks all of
  // them. That reads in order, which walks from each key's node to the root would not.
  for_each_used_down(used.nodes, [&](uint32_t n) {
    if (n == 0) return;
    marker.mark(used.locations, t.node_location[n] != 0 ? t.node_location[n] : UINT64_MAX,
                "location");
    marker.mark(used.nodes, t.node_parent[n] < n ? t.node_parent[n] : UINT64_MAX,
                "parent of a node");
  });
}

void mark_locations(const symbols::SymbolTables& t, Marker& marker, SymbolUsage& used) {
  for (size_t l = 1; l < used.locations.size(); ++l) {
    if (used.locations[l] == 0) continue;
    if (t.location_mapping[l] != 0)
      marker.mark(used.mappings, t.location_mapping[l] - 1, "mapping");
    for (size_t i = t.line_begin[l]; i < t.line_begin[l + 1]; ++i) {
      marker.mark(used.functions, t.line_function[i], "function");
    }
  }
}

void mark_strings(const symbols::SymbolTables& t, Marker& marker, SymbolUsage& used) {
  const auto mark = [&](uint32_t s) { marker.mark(used.strings, s, "string"); };
  for (size_t f = 0; f < used.functions.size(); ++f) {
    if (used.functions[f] == 0) continue;
    mark(t.function_name[f]);
    mark(t.function_system_name[f]);
    mark(t.function_file[f]);
  }
  for (size_t m = 0; m < used.mappings.size(); ++m) {
    if (used.mappings[m] == 0) continue;
    mark(t.mapping_file[m]);
    mark(t.mapping_build_id[m]);
  }
  for (size_t s = 0; s < used.label_sets.size(); ++s) {
    for (size_t i = t.label_begin[s]; used.label_sets[s] != 0 && i < t.label_begin[s + 1]; ++i) {
      mark(t.label_key[i]);
      mark(t.label_str[i]);
      if (t.label_str[i] == 0) mark(t.label_unit[i]);
    }
  }
}

}  // namespace

Result<SymbolUsage> mark_used(const symbols::SymbolTables& t, std::span<const uint8_t> key_used) {
  SymbolUsage used;
  used.strings.resize(t.strings.size());
  used.functions.resize(t.function_name.size());
  used.mappings.resize(t.mapping_start.size());
  used.locations.resize(t.locations());
  used.nodes.resize(t.nodes());
  used.label_sets.resize(t.label_begin.size() - 1);
  Marker marker;
  for (auto* table : {&used.strings, &used.locations, &used.nodes, &used.label_sets})
    marker.mark(*table, 0, "first entry");
  mark_stacks(t, key_used, marker, used);
  mark_locations(t, marker, used);
  mark_strings(t, marker, used);
  HEARTH_RETURN_IF_ERROR(marker.status());
  return used;
}

}  // namespace hearth::storage
