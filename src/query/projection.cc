#include "query/projection.h"

#include <algorithm>
#include <numeric>

#include "base/hash.h"
#include "query/preorder.h"

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
    // Programs have about half as many function nodes as location nodes.
    paths_.reserve(tables.nodes() / 2);
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

void Projection::settle(const symbols::SymbolTables& tables) {
  std::vector<uint32_t> by_text(name_string.size());
  std::iota(by_text.begin(), by_text.end(), 0U);
  std::sort(by_text.begin(), by_text.end(), [&](uint32_t a, uint32_t b) {
    return tables.strings[name_string[a]] < tables.strings[name_string[b]];
  });
  std::vector<uint32_t> name_rank(by_text.size());
  for (uint32_t r = 0; r < by_text.size(); ++r) name_rank[by_text[r]] = r;
  std::vector<uint32_t> rank(size(), 0);
  for (size_t i = 1; i < size(); ++i) rank[i] = name_rank[name[i]];
  const Preorder order =
      canonical_preorder(parent, rank, by_text.size(), std::vector<uint8_t>(size(), 1));

  std::vector<uint32_t> old_parent(size()), old_name(size());
  old_parent.swap(parent);
  old_name.swap(name);
  for (size_t i = 0; i < old_parent.size(); ++i) {
    parent[order.position[i]] = order.position[old_parent[i]];
    name[order.position[i]] = old_name[i];
  }
  for (uint32_t& node : function_node) node = order.position[node];
  paths_ = {};
  string_name_ = {};
}

size_t Projection::memory_bytes() const {
  return (function_node.capacity() + parent.capacity() + name.capacity() + name_string.capacity() +
          string_name_.capacity()) *
             sizeof(uint32_t) +
         name_hash.capacity() * sizeof(uint64_t) + paths_.memory_bytes();
}

}  // namespace hearth::query
