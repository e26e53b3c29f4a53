#include "storage/canonical_symbols.h"

#include <algorithm>
#include <memory>
#include <numeric>
#include <tuple>

#include "storage/loose_tree.h"
#include "storage/ranking.h"
#include "storage/symbol_sections.h"
#include "storage/symbol_usage.h"
#include "storage/tree_order.h"

namespace hearth::storage {
namespace {

using symbols::SymbolTables;

/// column[i] = rank[column[i]] for entries in use; others keep a meaningless value.
void translate(std::vector<uint32_t>& column, const Ranking& ranking) {
  for (uint32_t& v : column) v = v < ranking.rank.size() ? ranking.rank[v] : 0;
}

template <class T>
std::vector<T> copy(std::span<const T> column) {
  return {column.begin(), column.end()};
}

template <class Compare>
Ranking rank_table(std::span<const uint8_t> used, const SortedRuns& runs,
                   std::span<const uint32_t> order, Compare compare) {
  if (!order.empty()) return rank_ordered(used, order, compare);
  return runs.empty() ? rank_entries(used, compare) : rank_runs(used, runs, compare);
}

const SymbolOrder kNoOrder;

int compare_strings(std::string_view a, std::string_view b) {
  return a.compare(b);
}

/// Builds the tables from the bottom up. Each step makes a copy of a table's columns with
/// references already canonical, ranks its used entries, and gathers one entry per rank.
class Builder {
 public:
  Builder(const SymbolTables& in, const SymbolUsage& used, const KnownOrder& known,
          CanonicalSymbols& out)
      : in_(in),
        used_(used),
        runs_(known.runs),
        order_(known.all != nullptr ? *known.all : kNoOrder),
        out_(out) {}

  void strings() {
    strings_ = rank_table(
        used_.strings, runs_.strings, order_.strings(),
        [&](uint32_t a, uint32_t b) { return compare_strings(in_.strings[a], in_.strings[b]); });
    StringColumn& column = out_.columns.strings;
    size_t bytes = 0;
    for (const uint32_t i : strings_.first) bytes += in_.strings[i].size();
    column.bytes.reserve(bytes);
    for (const uint32_t i : strings_.first) {
      const size_t begin = column.bytes.size();
      column.bytes.insert(column.bytes.end(), in_.strings[i].begin(), in_.strings[i].end());
      column.views.emplace_back(column.bytes.data() + begin, in_.strings[i].size());
    }
  }

  void functions() {
    OwnedSymbols t;
    t.function_name = copy(in_.function_name);
    t.function_system_name = copy(in_.function_system_name);
    t.function_file = copy(in_.function_file);
    for (auto* column : {&t.function_name, &t.function_system_name, &t.function_file})
      translate(*column, strings_);
    const auto tuple = [&](uint32_t i) {
      return std::tuple(t.function_name[i], t.function_system_name[i], t.function_file[i],
                        in_.function_start_line[i]);
    };
    functions_ =
        rank_table(used_.functions, runs_.functions, order_.functions(),
                   [&](uint32_t a, uint32_t b) { return compare_values(tuple(a), tuple(b)); });
    OwnedSymbols& to = out_.columns;
    to.function_name = gather<uint32_t>(t.function_name, functions_.first);
    to.function_system_name = gather<uint32_t>(t.function_system_name, functions_.first);
    to.function_file = gather<uint32_t>(t.function_file, functions_.first);
    to.function_start_line = gather(in_.function_start_line, functions_.first);
  }

  void mappings() {
    OwnedSymbols t;
    t.mapping_file = copy(in_.mapping_file);
    t.mapping_build_id = copy(in_.mapping_build_id);
    translate(t.mapping_file, strings_);
    translate(t.mapping_build_id, strings_);
    const auto tuple = [&](uint32_t i) {
      return std::tuple(in_.mapping_start[i], in_.mapping_limit[i], in_.mapping_offset[i],
                        t.mapping_file[i], t.mapping_build_id[i], in_.mapping_flags[i]);
    };
    mappings_ =
        rank_table(used_.mappings, runs_.mappings, order_.mappings(),
                   [&](uint32_t a, uint32_t b) { return compare_values(tuple(a), tuple(b)); });
    OwnedSymbols& to = out_.columns;
    to.mapping_start = gather(in_.mapping_start, mappings_.first);
    to.mapping_limit = gather(in_.mapping_limit, mappings_.first);
    to.mapping_offset = gather(in_.mapping_offset, mappings_.first);
    to.mapping_file = gather<uint32_t>(t.mapping_file, mappings_.first);
    to.mapping_build_id = gather<uint32_t>(t.mapping_build_id, mappings_.first);
    to.mapping_flags = gather(in_.mapping_flags, mappings_.first);
  }

  void locations() {
    OwnedSymbols t;
    t.line_function = copy(in_.line_function);
    translate(t.line_function, functions_);
    t.location_mapping = copy(in_.location_mapping);
    for (uint32_t& m : t.location_mapping)
      m = m != 0 && m <= mappings_.rank.size() ? mappings_.rank[m - 1] + 1 : 0;
    SymbolTables view = in_;
    view.line_function = t.line_function;
    view.location_mapping = t.location_mapping;
    std::vector<uint8_t> used = used_.locations;
    used[0] = 0;  // The filler for "none" keeps its number, the others start at 1.
    locations_ = rank_table(used, runs_.locations, order_.locations(),
                            [&](uint32_t a, uint32_t b) { return compare_locations(view, a, b); });
    for (uint32_t& r : locations_.rank) r = r == Ranking::kUnused ? 0 : r + 1;
    OwnedSymbols& to = out_.columns;
    to.location_mapping.push_back(0);
    to.location_address.push_back(0);
    to.location_folded.push_back(0);
    to.line_begin.assign(2, 0);
    for (const uint32_t l : locations_.first) gather_location(view, l);
  }

  void label_sets() {
    OwnedSymbols t;
    t.label_key = copy(in_.label_key);
    t.label_str = copy(in_.label_str);
    t.label_unit = copy(in_.label_unit);
    t.label_num = copy(in_.label_num);
    for (size_t i = 0; i < t.label_str.size(); ++i) {
      if (t.label_str[i] != 0)
        t.label_num[i] = t.label_unit[i] = 0;  // Beside a string they say nothing.
    }
    for (auto* column : {&t.label_key, &t.label_str, &t.label_unit}) translate(*column, strings_);
    for (size_t s = 0; s + 1 < in_.label_begin.size(); ++s)
      sort_labels(in_.label_begin[s], in_.label_begin[s + 1], t);
    SymbolTables view = t.view();
    view.label_begin = in_.label_begin;
    label_sets_ = rank_table(used_.label_sets, runs_.label_sets, {}, [&](uint32_t a, uint32_t b) {
      return compare_label_sets(view, a, b);
    });
    OwnedSymbols& to = out_.columns;
    to.label_begin.push_back(0);
    for (const uint32_t s : label_sets_.first) {
      for (size_t i = in_.label_begin[s]; i < in_.label_begin[s + 1]; ++i) {
        to.label_key.push_back(t.label_key[i]);
        to.label_str.push_back(t.label_str[i]);
        to.label_num.push_back(t.label_num[i]);
        to.label_unit.push_back(t.label_unit[i]);
      }
      to.label_begin.push_back(static_cast<uint32_t>(to.label_key.size()));
    }
  }

  [[nodiscard]] const Ranking& location_ranking() const { return locations_; }
  [[nodiscard]] const Ranking& label_set_ranking() const { return label_sets_; }

 private:
  void gather_location(const SymbolTables& view, uint32_t l) {
    OwnedSymbols& to = out_.columns;
    to.location_mapping.push_back(view.location_mapping[l]);
    to.location_address.push_back(view.location_address[l]);
    to.location_folded.push_back(view.location_folded[l] != 0 ? 1 : 0);
    for (size_t i = view.line_begin[l]; i < view.line_begin[l + 1]; ++i) {
      to.line_function.push_back(view.line_function[i]);
      to.line_number.push_back(view.line_number[i]);
      to.line_column.push_back(view.line_column[i]);
    }
    to.line_begin.push_back(static_cast<uint32_t>(to.line_function.size()));
  }

  /// Labels of a sample are a set of pairs: their order says nothing.
  static void sort_labels(size_t begin, size_t end, OwnedSymbols& t) {
    std::vector<std::tuple<uint32_t, uint32_t, int64_t, uint32_t>> labels;
    for (size_t i = begin; i < end; ++i) {
      labels.emplace_back(t.label_key[i], t.label_str[i], t.label_num[i], t.label_unit[i]);
    }
    std::ranges::sort(labels);
    for (size_t i = begin; i < end; ++i) {
      std::tie(t.label_key[i], t.label_str[i], t.label_num[i], t.label_unit[i]) = labels[i - begin];
    }
  }

  const SymbolTables& in_;
  const SymbolUsage& used_;
  const SymbolRuns& runs_;
  const SymbolOrder& order_;
  CanonicalSymbols& out_;
  Ranking strings_, functions_, mappings_, locations_, label_sets_;
};

/// Used nodes with canonical locations. Parents keep coming first.
struct MergedTree {
  std::vector<uint32_t> parent = {0}, location = {0};
  std::unique_ptr<uint32_t[]> of;  ///< Input node → merged node; of the used ones.

  explicit MergedTree(size_t nodes) : of(std::make_unique_for_overwrite<uint32_t[]>(nodes)) {
    of[0] = 0;
  }
};

MergedTree copy_nodes(const SymbolTables& in, std::span<const uint8_t> used,
                      const Ranking& locations) {
  MergedTree tree(in.nodes());
  const auto count = static_cast<size_t>(std::ranges::count(used, 1));
  tree.parent.resize(count);
  tree.location.resize(count);
  uint32_t next = 1;
  for_each_used(used, [&](uint32_t n) {
    if (n == 0) return;
    tree.of[n] = next;
    tree.parent[next] = tree.of[in.node_parent[n]];
    tree.location[next++] = locations.rank[in.node_location[n]];
  });
  return tree;
}

/// Nodes with the same parent and location become one.
MergedTree merge_nodes(const SymbolTables& in, std::span<const uint8_t> used,
                       const Ranking& locations) {
  MergedTree tree(in.nodes());
  LooseTree merged(in.nodes() / 4);  // Several segments have most of theirs in common.
  for_each_used(used, [&](uint32_t n) {
    if (n == 0) return;
    tree.of[n] =
        merged.find_or_add(tree.of[in.node_parent[n]], locations.rank[in.node_location[n]]);
  });
  tree.parent = merged.parents();
  tree.location = merged.labels();
  return tree;
}

/// Whether two siblings have the same location, hence the same rank.
bool has_twins(std::span<const uint32_t> order, std::span<const uint32_t> parent,
               std::span<const uint32_t> rank) {
  const auto twins = [&](uint32_t a, uint32_t b) {
    return parent[a] == parent[b] && rank[a] == rank[b];
  };
  return std::ranges::adjacent_find(order, twins) != order.end();
}

/// Renumbers the merged tree to preorder; `number` is what preorder() returned.
void place_nodes(const MergedTree& tree, std::span<const uint32_t> number, CanonicalSymbols& out) {
  const size_t n = tree.parent.size();
  std::vector<uint32_t> rank(n);
  out.columns.node_parent.resize(n);
  out.columns.node_location.resize(n);
  for (size_t i = 0; i < n; ++i) {
    out.columns.node_parent[number[i]] = number[tree.parent[i]];
    out.columns.node_location[number[i]] = tree.location[i];
    rank[number[i]] = out.edges.rank[i];
  }
  out.edges.rank = std::move(rank);
}

/// `number` is by merged node.
void list_keys(const SymbolTables& in, std::span<const uint8_t> key_used, const MergedTree& tree,
               std::span<const uint32_t> number, const Ranking& label_sets, CanonicalSymbols& out) {
  const auto count = static_cast<size_t>(std::ranges::count(key_used, 1));
  out.used_keys.resize(count);
  std::vector<uint32_t> node(count);
  std::vector<uint32_t> labels(count);
  size_t next = 0;
  for_each_used(key_used, [&](uint32_t k) {
    out.used_keys[next] = k;
    node[next] = number[tree.of[in.key_node[k]]];
    labels[next++] = label_sets.rank[in.key_labels[k]];
  });
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  if (label_sets.size() > 1) order = counting_sort(order, labels, label_sets.size());
  order = counting_sort(order, node, out.columns.node_parent.size());
  out.key_index.resize(key_used.size());
  KeyList& keys = out.keys;
  keys.node.reserve(count);
  keys.labels.reserve(count);
  for (const uint32_t i : order) {
    if (keys.size() == 0 || keys.node.back() != node[i] || keys.labels.back() != labels[i]) {
      keys.node.push_back(node[i]);
      keys.labels.push_back(labels[i]);
    }
    out.key_index[out.used_keys[i]] = static_cast<uint32_t>(keys.size() - 1);
  }
}

}  // namespace

Result<CanonicalSymbols> canonicalise_symbols(const SymbolTables& in,
                                              std::span<const uint8_t> key_used,
                                              const KnownOrder& known) {
  HEARTH_ASSIGN_OR_RETURN(const SymbolUsage used, mark_used(in, key_used));
  CanonicalSymbols out;
  Builder builder(in, used, known, out);
  builder.strings();
  builder.functions();
  builder.mappings();
  builder.locations();
  builder.label_sets();
  // A dictionary has each node once, so it mostly does without.
  bool merge = !known.runs.locations.empty();
  MergedTree tree(1);
  std::vector<uint32_t> order;
  for (;; merge = true) {
    tree = merge ? merge_nodes(in, used.nodes, builder.location_ranking())
                 : copy_nodes(in, used.nodes, builder.location_ranking());
    out.edges = rank_edges(tree.parent, tree.location, out.columns.location_mapping.size());
    order = order_siblings(tree.parent, out.edges.rank);
    if (merge || !has_twins(order, tree.parent, out.edges.rank)) break;
  }
  const std::vector<uint32_t> number = preorder(tree.parent, order);
  place_nodes(tree, number, out);
  list_keys(in, key_used, tree, number, builder.label_set_ranking(), out);
  return out;
}

std::vector<uint32_t> number_keys(std::span<const uint32_t> frequency, size_t profiles,
                                  CanonicalSymbols& symbols) {
  KeyList& keys = symbols.keys;
  keys.key_class = choose_classes(frequency, profiles);
  const std::vector<uint32_t> ids = assign_key_ids(keys.key_class);
  OwnedSymbols& to = symbols.columns;
  to.key_node.resize(keys.size());
  to.key_labels.resize(keys.size());
  to.key_class.resize(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    to.key_node[ids[i]] = keys.node[i];
    to.key_labels[ids[i]] = keys.labels[i];
    to.key_class[ids[i]] = keys.key_class[i];
  }
  std::vector<uint32_t> id_of(symbols.key_index.size());
  for (const uint32_t k : symbols.used_keys) id_of[k] = ids[symbols.key_index[k]];
  return id_of;
}

}  // namespace hearth::storage
