#include "query/projection.h"

#include "base/hash.h"

namespace hearth::query {

uint32_t Projection::name_of(const symbols::SymbolTables& tables, uint32_t function) {
  const uint32_t string = tables.function_name[function];
  if (string_name_[string] == 0) {
    name_string.push_back(string);
    name_hash.push_back(hash64(tables.strings[string], process_hash_seed()));
    string_name_[string] = static_cast<uint32_t>(name_string.size());
  }
  return string_name_[string] - 1;
}

uint32_t Projection::child(uint32_t of, uint32_t its_name) {
  const auto next = static_cast<uint32_t>(parent.size());
  const uint32_t node = paths_.find_or_add(of, its_name, next);
  if (node == next) {
    parent.push_back(of);
    name.push_back(its_name);
  }
  return node;
}

void Projection::extend(const symbols::SymbolTables& tables) {
  string_name_.resize(tables.strings.size(), 0);
  if (parent.empty()) {
    parent.push_back(0);
    name.push_back(0);
    function_node.push_back(0);
  }
  function_node.reserve(tables.nodes());
  for (size_t n = function_node.size(); n < tables.nodes(); ++n) {
    const uint32_t location = tables.node_location[n];
    uint32_t at = function_node[tables.node_parent[n]];
    for (uint32_t line = tables.line_begin[location + 1]; line-- > tables.line_begin[location];) {
      at = child(at, name_of(tables, tables.line_function[line]));
    }
    function_node.push_back(at);
  }
}

size_t Projection::memory_bytes() const {
  return (function_node.capacity() + parent.capacity() + name.capacity() + name_string.capacity() +
          string_name_.capacity()) *
             sizeof(uint32_t) +
         name_hash.capacity() * sizeof(uint64_t) + paths_.memory_bytes();
}

}  // namespace hearth::query
