#include "api/flame_graph.h"

#include <algorithm>

#include "api/json_writer.h"
#include "base/bytes.h"
#include "querier.pb.h"

namespace hearth::api {
namespace {

constexpr std::string_view kTotal = "total";
using query::kOther;
constexpr uint32_t kFolded = UINT32_MAX;  ///< Stands for the node that folded children became.

/// Gives each text of a tree its index in the answer at first use. The name `total` is index 0
/// whoever bears it.
class NameTable {
 public:
  explicit NameTable(const query::FunctionTree& tree)
      : tree_(tree), index_(tree.names.size() + 1, kUnset) {
    for (size_t i = 0; i < tree.names.size(); ++i) {
      if (tree.names[i] == kTotal) index_[i] = 0;
      if (tree.names[i] == kOther) other_ = i;
    }
    names.push_back(kTotal);
  }
  int64_t of_node(uint32_t node) {
    const uint32_t slot = tree_.name[node];
    if (index_[slot] != kUnset) return static_cast<int64_t>(index_[slot]);
    return index(slot, tree_.names[slot]);
  }
  /// The name index of `other` in the tree, or one that no node has.
  [[nodiscard]] uint32_t other() const { return static_cast<uint32_t>(other_); }
  int64_t of_other() { return index(other_ == kUnset ? tree_.names.size() : other_, kOther); }

  std::vector<std::string_view> names;

 private:
  static constexpr size_t kUnset = SIZE_MAX;
  int64_t index(size_t slot, std::string_view text) {
    if (index_[slot] == kUnset) {
      index_[slot] = names.size();
      names.push_back(text);
    }
    return static_cast<int64_t>(index_[slot]);
  }
  const query::FunctionTree& tree_;
  std::vector<size_t> index_;  ///< By the tree's name index; the last slot is for `other` when the
                               ///< tree lacks that name.
  size_t other_ = kUnset;
};

struct Bar {
  uint32_t node;  ///< Or kFolded.
  uint32_t depth;
  int64_t x;
  int64_t folded;  ///< Total of a folded bar.
};

/// Lays out the kept children of `parent`, left to right, behind its own self value; the folded
/// ones come last.
void push_children(const query::FunctionTree& tree, const std::vector<uint32_t>& ends,
                   int64_t threshold, uint32_t other, const Bar& parent, std::vector<Bar>& stack) {
  int64_t x = parent.x + (parent.node == 0 ? 0 : tree.self[parent.node]);
  int64_t folded = 0;
  const uint32_t end = ends[parent.node];
  for (uint32_t child = parent.node + 1; child < end; child = ends[child]) {
    const int64_t total = tree.total[child];
    if (total < threshold || (tree.name[child] == other && ends[child] == child + 1)) {
      folded += total;
      continue;
    }
    stack.push_back({child, parent.depth + 1, x, 0});
    x += total;
  }
  if (folded > 0) stack.push_back({kFolded, parent.depth + 1, x, folded});
}

// Bars arrive right to left; an answer lists them left to right, each x relative to the end of the
// bar before it.
void finish_level(std::vector<int64_t>& level) {
  for (size_t i = 0, j = level.size() - 4; i < j; i += 4, j -= 4) {
    std::swap_ranges(level.begin() + static_cast<ptrdiff_t>(i),
                     level.begin() + static_cast<ptrdiff_t>(i + 4),
                     level.begin() + static_cast<ptrdiff_t>(j));
  }
  int64_t end = 0;
  for (size_t i = 0; i < level.size(); i += 4) {
    const int64_t x = level[i];
    level[i] = x - end;
    end = x + level[i + 1];
  }
}

}  // namespace

std::vector<uint32_t> subtree_ends(const query::FunctionTree& tree) {
  std::vector<uint32_t> ends(tree.size());
  for (auto i = static_cast<uint32_t>(tree.size()); i-- > 0;) {
    ends[i] = std::max(ends[i], i + 1);
    if (i > 0) ends[tree.parent[i]] = std::max(ends[tree.parent[i]], ends[i]);
  }
  return ends;
}

FlameGraph flame_graph(const query::FunctionTree& tree, int64_t threshold) {
  FlameGraph graph;
  NameTable names(tree);
  const std::vector<uint32_t> ends = subtree_ends(tree);
  graph.total = tree.size() == 0 ? 0 : tree.total[0];
  graph.levels.push_back({0, graph.total, 0, 0});
  std::vector<Bar> stack;
  if (tree.size() > 0) push_children(tree, ends, threshold, names.other(), {0, 0, 0, 0}, stack);
  while (!stack.empty()) {
    const Bar bar = stack.back();
    stack.pop_back();
    if (graph.levels.size() <= bar.depth) graph.levels.resize(bar.depth + 1);
    const bool kept = bar.node != kFolded;
    const int64_t total = kept ? tree.total[bar.node] : bar.folded;
    const int64_t self = kept ? tree.self[bar.node] : bar.folded;
    const int64_t name = kept ? names.of_node(bar.node) : names.of_other();
    std::vector<int64_t>& level = graph.levels[bar.depth];
    level.resize(level.size() + 4);
    int64_t* const quadruple = &level.back() - 3;
    quadruple[0] = bar.x;
    quadruple[1] = total;
    quadruple[2] = self;
    quadruple[3] = name;
    graph.max_self = std::max(graph.max_self, self);
    if (kept) push_children(tree, ends, threshold, names.other(), bar, stack);
  }
  std::ranges::for_each(graph.levels, finish_level);
  graph.names = std::move(names.names);
  return graph;
}

namespace {

void append_quoted(std::string& out, int64_t v) {
  out += '"';
  append_json_number(out, v);
  out += '"';
}

void append_level(std::string& out, const std::vector<int64_t>& level) {
  out += "{\"values\":[";
  append_quoted_numbers(out, level);
  out += "]}";
}

}  // namespace

void append_proto_json(std::string& out, const FlameGraph& graph) {
  out += "{\"names\":[";
  for (size_t i = 0; i < graph.names.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, graph.names[i]);
  }
  out += "],\"levels\":[";
  for (size_t i = 0; i < graph.levels.size(); ++i) {
    if (i > 0) out += ',';
    append_level(out, graph.levels[i]);
  }
  out += ']';
  if (graph.total != 0) append_quoted(out += ",\"total\":", graph.total);
  if (graph.max_self != 0) append_quoted(out += ",\"maxSelf\":", graph.max_self);
  out += '}';
}

void to_proto(const FlameGraph& graph, querier::v1::FlameGraph& message) {
  for (const std::string_view name : graph.names) message.add_names(name.data(), name.size());
  for (const auto& level : graph.levels)
    message.add_levels()->mutable_values()->Add(level.begin(), level.end());
  message.set_total(graph.total);
  message.set_max_self(graph.max_self);
}

std::string tree_bytes(const query::FunctionTree& tree) {
  std::string out;
  if (tree.size() <= 1) return out;
  const std::vector<uint32_t> ends = subtree_ends(tree);
  std::vector<uint32_t> stack{0};
  while (!stack.empty()) {
    const uint32_t node = stack.back();
    stack.pop_back();
    const size_t before = stack.size();
    for (uint32_t child = node + 1; child < ends[node]; child = ends[child]) stack.push_back(child);
    put_str(out, tree.names[tree.name[node]]);
    put_varint(out, static_cast<uint64_t>(tree.self[node]));
    put_varint(out, stack.size() - before);
  }
  return out;
}

}  // namespace hearth::api
