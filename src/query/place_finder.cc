#include "query/place_finder.h"

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "base/saturate.h"

namespace hearth::query {
namespace {

// by_location[l] = value of all stacks with location l, once per occurrence.
std::vector<int64_t> weigh_locations(const symbols::SymbolTables& tables,
                                     std::span<const int64_t> by_key, std::span<int64_t> by_node) {
  for (size_t k = 0; k < by_key.size(); ++k) {
    int64_t& sum = by_node[tables.key_node[k]];
    sum = add_saturating(sum, by_key[k]);
  }
  std::vector<int64_t> by_location(tables.locations(), 0);
  for (size_t n = tables.nodes(); n-- > 1;) {
    if (by_node[n] == 0) continue;
    int64_t& up = by_node[tables.node_parent[n]];
    up = add_saturating(up, by_node[n]);
    int64_t& at = by_location[tables.node_location[n]];
    at = add_saturating(at, by_node[n]);
  }
  return by_location;
}

}  // namespace

uint32_t PlaceFinder::intern(std::string_view text) {
  return texts_.intern(text, hash64(text, process_hash_seed()));
}

Status PlaceFinder::add(std::shared_ptr<const symbols::SymbolTables> tables,
                        std::span<const int64_t> by_key, ScratchPool& scratch) {
  constexpr size_t kMergeAbove = 1U << 18U;  // 10 MiB of lines.
  HEARTH_ASSIGN_OR_RETURN(auto by_node, scratch.borrow(tables->nodes()));
  const std::vector<int64_t> weight = weigh_locations(*tables, by_key, by_node.values());
  const std::lock_guard lock(mutex_);
  for (size_t l = 1; l < weight.size(); ++l) {
    if (weight[l] == 0) continue;
    const uint32_t mapping = tables->location_mapping[l];
    const uint32_t binary =
        mapping == 0 ? 0 : intern(tables->strings[tables->mapping_file[mapping - 1]]);
    for (uint32_t i = tables->line_begin[l]; i < tables->line_begin[l + 1]; ++i) {
      const uint32_t function = tables->line_function[i];
      lines_.push_back({intern(tables->strings[tables->function_name[function]]),
                        intern(tables->strings[tables->function_file[function]]), binary,
                        tables->line_number[i], weight[l]});
    }
  }
  owners_.push_back(std::move(tables));
  if (lines_.size() > kMergeAbove) merge_equal();
  return {};
}

// Sorts by (name, file, binary, line) and adds up equal ones. Text ids differ from run to run, so
// ties are broken by text later.
void PlaceFinder::merge_equal() {
  const auto key = [](const Line& l) { return std::tie(l.name, l.file, l.binary, l.line); };
  std::sort(lines_.begin(), lines_.end(),
            [&key](const Line& a, const Line& b) { return key(a) < key(b); });
  size_t kept = 0;
  for (size_t i = 0; i < lines_.size(); ++i) {
    if (kept > 0 && key(lines_[kept - 1]) == key(lines_[i])) {
      lines_[kept - 1].weight = add_saturating(lines_[kept - 1].weight, lines_[i].weight);
    } else {
      lines_[kept++] = lines_[i];
    }
  }
  lines_.resize(kept);
}

Place PlaceFinder::heaviest(std::span<const Line> lines) const {
  Place best;
  int64_t best_weight = 0;
  uint32_t pairs = 0;
  for (size_t begin = 0, end = 0; begin < lines.size(); begin = end, ++pairs) {
    Line top = lines[begin];
    int64_t weight = 0;
    for (; end < lines.size() && lines[end].file == top.file &&
           lines[end].binary == lines[begin].binary;
         ++end) {
      weight = add_saturating(weight, lines[end].weight);
      if (lines[end].weight > top.weight) top = lines[end];
    }
    const std::string_view file = texts_.text(top.file);
    const std::string_view binary = texts_.text(top.binary);
    const bool wins_tie = weight == best_weight &&
                          std::tie(file, binary) < std::tuple<std::string_view, std::string_view>(
                                                       best.file, best.binary);
    if (pairs == 0 || weight > best_weight || wins_tie) {
      best = {std::string(file), std::string(binary), top.line, 0};
      best_weight = weight;
    }
  }
  best.others = pairs > 0 ? pairs - 1 : 0;
  return best;
}

std::vector<Place> PlaceFinder::find(const std::vector<std::string>& names) {
  merge_equal();
  std::vector<Place> places;
  places.reserve(names.size());
  for (const std::string& name : names) {
    const uint32_t id = intern(name);
    const auto [first, last] =
        std::equal_range(lines_.begin(), lines_.end(), Line{id, 0, 0, 0, 0},
                         [](const Line& a, const Line& b) { return a.name < b.name; });
    places.push_back(heaviest({first, last}));
  }
  return places;
}

}  // namespace hearth::query
