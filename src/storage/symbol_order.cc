#include "storage/symbol_order.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "storage/ranking.h"
#include "storage/symbol_sections.h"

namespace hearth::storage {
namespace {

/// Adds the indexes up to `end` to `order`, which holds those from `first` on: the new ones are
/// sorted and each finds its place by bisection, as they are few.
template <class Compare>
void insert_new(std::vector<uint32_t>& order, uint32_t first, size_t end, Compare compare) {
  std::vector<uint32_t> added(end - first - order.size());
  std::iota(added.begin(), added.end(), static_cast<uint32_t>(first + order.size()));
  const auto less = [&](uint32_t a, uint32_t b) { return compare(a, b) < 0; };
  std::ranges::sort(added, less);
  std::vector<uint32_t> merged;
  merged.reserve(end - first);
  auto from = order.cbegin();
  for (const uint32_t i : added) {
    const auto to = std::upper_bound(from, order.cend(), i, less);
    merged.insert(merged.end(), from, to);
    merged.push_back(i);
    from = to;
  }
  merged.insert(merged.end(), from, order.cend());
  order = std::move(merged);
}

/// The rank of every entry; equal ones have the same.
template <class Compare>
std::vector<uint32_t> ranks(const std::vector<uint32_t>& order, Compare compare) {
  std::vector<uint32_t> rank(order.size());
  uint32_t next = 0;
  for (size_t i = 1; i < order.size(); ++i) {
    if (compare(order[i - 1], order[i]) != 0) ++next;
    rank[order[i]] = next;
  }
  return rank;
}

std::vector<uint32_t> translate(std::span<const uint32_t> column, std::span<const uint32_t> rank) {
  std::vector<uint32_t> out(column.size());
  for (size_t i = 0; i < out.size(); ++i) out[i] = rank[column[i]];
  return out;
}

}  // namespace

// The order of a table's entries is that of the ranks of what they refer to, and a rank among all
// entries orders as one among the used ones does.
void SymbolOrder::extend(const symbols::SymbolTables& t) {
  const bool same =
      strings_.size() == t.strings.size() && functions_.size() == t.function_name.size() &&
      mappings_.size() == t.mapping_start.size() && locations_.size() + 1 == t.locations();
  if (same) return;
  const auto by_string = [&](uint32_t a, uint32_t b) { return t.strings[a].compare(t.strings[b]); };
  insert_new(strings_, 0, t.strings.size(), by_string);
  const std::vector<uint32_t> string = ranks(strings_, by_string);

  const auto function = [&](uint32_t i) {
    return std::tuple(string[t.function_name[i]], string[t.function_system_name[i]],
                      string[t.function_file[i]], t.function_start_line[i]);
  };
  const auto by_function = [&](uint32_t a, uint32_t b) {
    return compare_values(function(a), function(b));
  };
  insert_new(functions_, 0, t.function_name.size(), by_function);

  const auto mapping = [&](uint32_t i) {
    return std::tuple(t.mapping_start[i], t.mapping_limit[i], t.mapping_offset[i],
                      string[t.mapping_file[i]], string[t.mapping_build_id[i]], t.mapping_flags[i]);
  };
  const auto by_mapping = [&](uint32_t a, uint32_t b) {
    return compare_values(mapping(a), mapping(b));
  };
  insert_new(mappings_, 0, t.mapping_start.size(), by_mapping);

  const std::vector<uint32_t> line_function =
      translate(t.line_function, ranks(functions_, by_function));
  const std::vector<uint32_t> mapping_rank = ranks(mappings_, by_mapping);
  std::vector<uint32_t> location_mapping(t.locations());
  for (size_t l = 1; l < location_mapping.size(); ++l)
    if (t.location_mapping[l] != 0)
      location_mapping[l] = mapping_rank[t.location_mapping[l] - 1] + 1;
  symbols::SymbolTables ranked = t;
  ranked.line_function = line_function;
  ranked.location_mapping = location_mapping;
  insert_new(locations_, 1, t.locations(),
             [&](uint32_t a, uint32_t b) { return compare_locations(ranked, a, b); });
}

size_t SymbolOrder::memory_bytes() const {
  return sizeof(uint32_t) * (strings_.capacity() + functions_.capacity() + mappings_.capacity() +
                             locations_.capacity());
}

}  // namespace hearth::storage
