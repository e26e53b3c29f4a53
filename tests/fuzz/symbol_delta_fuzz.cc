// Any bytes as a symbol delta: refused, or tables that are safe to read and that encode to a delta
// which says the same.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "symbols/dictionary.h"
#include "symbols/symbol_columns.h"
#include "symbols/symbol_delta.h"

namespace {

using namespace hearth;
using symbols::SymbolTables;
using symbols::TableSizes;

TableSizes sizes_of(const SymbolTables& t) {
  const auto count = [](const auto& column) { return static_cast<uint32_t>(column.size()); };
  return {count(t.strings),          count(t.function_name), count(t.mapping_start),
          count(t.location_mapping), count(t.node_parent),   count(t.label_begin) - 1,
          count(t.key_node)};
}

// Reads what every column refers to, as a query would.
size_t walk(const SymbolTables& t) {
  size_t read = 0;
  for (size_t f = 0; f < t.function_name.size(); ++f) {
    read += t.strings[t.function_name[f]].size() + t.strings[t.function_system_name[f]].size() +
            t.strings[t.function_file[f]].size();
  }
  for (const uint32_t file : t.mapping_file) read += t.strings[file].size();
  for (const uint32_t build_id : t.mapping_build_id) read += t.strings[build_id].size();
  for (size_t l = 0; l < t.locations(); ++l) {
    HEARTH_CHECK(t.location_mapping[l] <= t.mapping_start.size(), "mapping in range");
    for (uint32_t i = t.line_begin[l]; i < t.line_begin[l + 1]; ++i)
      read += t.function_name[t.line_function[i]];
  }
  for (size_t n = 1; n < t.nodes(); ++n) {
    HEARTH_CHECK(t.node_parent[n] < n && t.node_location[n] < t.locations(),
                 "a parent is older than its child");
  }
  for (size_t k = 0; k < t.keys(); ++k) {
    HEARTH_CHECK(t.key_node[k] < t.nodes() && t.key_labels[k] + 1 < t.label_begin.size(),
                 "key in range");
  }
  for (size_t i = 0; i < t.label_key.size(); ++i) {
    read += t.strings[t.label_key[i]].size() + t.strings[t.label_str[i]].size() +
            t.strings[t.label_unit[i]].size();
  }
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  symbols::Dictionary dictionary({}, 1);
  if (!dictionary.apply_delta(bytes)) {
    HEARTH_CHECK(dictionary.keys() == 0 && dictionary.nodes() == 1,
                 "a refused delta changes nothing");
    return 0;
  }
  const auto tables = dictionary.tables();
  HEARTH_CHECK(walk(*tables) < SIZE_MAX, "every string is read");
  if (dictionary.lost() != 0) return 0;
  const std::string again = symbols::encode_delta(*tables, TableSizes{}, sizes_of(*tables));
  symbols::Dictionary copy({}, 2);
  HEARTH_CHECK(again.empty() || copy.apply_delta(again).has_value(), "what we write we read");
  const auto copied = copy.tables();
  HEARTH_CHECK(symbols::encode_delta(*copied, TableSizes{}, sizes_of(*copied)) == again,
               "writing is stable");
  return 0;
}
