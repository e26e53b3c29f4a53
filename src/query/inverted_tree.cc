#include <algorithm>
#include <utility>

#include "base/saturate.h"
#include "query/page_tree.h"
#include "query/path_table.h"
#include "query/preorder.h"

namespace hearth::query {
namespace {

// A frame of some stacks, and how much value goes through it on its way to the leaves that are
// looked at.
struct Flow {
  uint32_t node = 0;
  int64_t value = 0;
};
using Flows = std::vector<Flow>;

int64_t sum(const Flows& flows) {
  int64_t total = 0;
  for (const Flow& f : flows) total = add_saturating(total, f.value);
  return total;
}

// Sorts by name, then by node; equal nodes become one.
void merge_equal(const FunctionTree& tree, Flows& flows) {
  std::sort(flows.begin(), flows.end(), [&tree](const Flow& a, const Flow& b) {
    return std::pair(tree.name[a.node], a.node) < std::pair(tree.name[b.node], b.node);
  });
  size_t kept = 0;
  for (const Flow& f : flows) {
    if (kept > 0 && flows[kept - 1].node == f.node) {
      flows[kept - 1].value = add_saturating(flows[kept - 1].value, f.value);
    } else {
      flows[kept++] = f;
    }
  }
  flows.resize(kept);
}

// The parents of frames; the value of frames without one ends here.
Flows callers_of(const FunctionTree& tree, const Flows& flows, int64_t* ended) {
  Flows up;
  for (const Flow& f : flows) {
    const uint32_t parent = tree.parent[f.node];
    if (parent == 0) {
      *ended = add_saturating(*ended, f.value);
    } else {
      up.push_back({parent, f.value});
    }
  }
  return up;
}

// Cuts flows into groups of one name each.
std::vector<Flows> by_name(const FunctionTree& tree, Flows flows) {
  merge_equal(tree, flows);
  std::vector<Flows> groups;
  for (size_t i = 0; i < flows.size(); ++i) {
    if (i == 0 || tree.name[flows[i].node] != tree.name[flows[i - 1].node]) groups.emplace_back();
    groups.back().push_back(flows[i]);
  }
  return groups;
}

// Grows a tree of callers from groups of frames with one name, one group per node. A group moves up
// by replacing its frames with their parents; frames with one parent become one, so groups shrink
// quickly.
class CallerTree {
 public:
  // Frames below `min` are folded; without it, those below default_min() of the root's total.
  CallerTree(const FunctionTree& tree, std::optional<int64_t> min, int64_t total)
      : tree_(&tree), min_(min.value_or(default_min(total))), total_(total) {}

  // Root: a node of this name, where `self` ends. Below it the frames of `first`, grouped by name.
  CallTree grow(uint32_t name, int64_t self, Flows first) {
    out_.self[add_node(0, name, total_)] = self;
    add_children(0, std::move(first));
    while (!open_.empty()) {
      const Open next = std::move(open_.back());
      open_.pop_back();
      add_children(next.node, callers_of(*tree_, next.group, &out_.self[next.node]));
    }
    return std::move(out_);
  }

 private:
  struct Open {
    uint32_t node;
    Flows group;
  };

  uint32_t add_node(uint32_t parent, uint32_t name, int64_t total) {
    out_.parent.push_back(parent);
    out_.name.push_back(name);
    out_.self.push_back(0);
    out_.total.push_back(total);
    out_.folded.push_back(0);
    ++out_.frames;
    return static_cast<uint32_t>(out_.size() - 1);
  }

  void add_children(uint32_t node, Flows flows) {
    for (Flows& group : by_name(*tree_, std::move(flows))) {
      const int64_t total = sum(group);
      if (total < min_) {
        out_.folded[node] = add_saturating(out_.folded[node], total);
        out_.frames += count(std::move(group));
      } else {
        open_.push_back({add_node(node, tree_->name[group[0].node], total), std::move(group)});
      }
    }
  }

  // Frames of the callers' tree of one group that is not kept, itself included.
  [[nodiscard]] uint64_t count(Flows group) const {
    uint64_t frames = 0;
    std::vector<Flows> open;
    open.push_back(std::move(group));
    while (!open.empty()) {
      const Flows next = std::move(open.back());
      open.pop_back();
      if (next.size() == 1) {
        frames += tree_->depth[next[0].node];  // A single path up to the root.
        continue;
      }
      ++frames;
      int64_t ended = 0;
      for (Flows& up : by_name(*tree_, callers_of(*tree_, next, &ended)))
        open.push_back(std::move(up));
    }
    return frames;
  }

  const FunctionTree* tree_;
  int64_t min_;
  int64_t total_;
  CallTree out_;
  std::vector<Open> open_;
};

// Frames named `name` that have no such frame above them.
std::vector<uint32_t> outermost(const FunctionTree& tree, uint32_t name, bool* recursive) {
  std::vector<uint32_t> found;
  uint32_t end = 0;  // Of the subtree of the last one found.
  for (uint32_t i = 1; i < tree.size(); ++i) {
    if (tree.name[i] != name) continue;
    if (i < end) {
      *recursive = true;
    } else {
      found.push_back(i);
      end = subtree_end(tree, i);
    }
  }
  return found;
}

// The subtrees of some nodes of one name laid on top of each other.
class Overlay {
 public:
  Overlay(const FunctionTree& tree, uint32_t name)
      : tree_(&tree), out_{{0}, {name}, {0}, {0}, {0}, 0} {}

  void add(uint32_t top) {
    const uint32_t end = subtree_end(*tree_, top);
    own_.assign(end - top, 0);
    for (uint32_t i = top; i < end; ++i) {
      const uint32_t node = i == top ? 0 : child(own_[tree_->parent[i] - top], tree_->name[i]);
      own_[i - top] = node;
      out_.self[node] = add_saturating(out_.self[node], tree_->self[i]);
      out_.total[node] = add_saturating(out_.total[node], tree_->total[i]);
    }
  }
  CallTree finish() {
    out_.folded.assign(out_.size(), 0);
    out_.frames = out_.size();
    return std::move(out_);
  }

 private:
  uint32_t child(uint32_t parent, uint32_t name) {
    const auto next = static_cast<uint32_t>(out_.size());
    const uint32_t node = paths_.find_or_add(parent, name, next);
    if (node == next) {
      out_.parent.push_back(parent);
      out_.name.push_back(name);
      out_.self.push_back(0);
      out_.total.push_back(0);
    }
    return node;
  }

  const FunctionTree* tree_;
  CallTree out_;
  PathTable paths_;
  std::vector<uint32_t>
      own_;  // Of the subtree that is being added: which node of ours each became.
};

}  // namespace

std::optional<CallTree> inverted(const FunctionTree& tree, const std::vector<std::string>& path,
                                 std::optional<int64_t> min) {
  Flows flows;
  for (uint32_t i = 1; i < tree.size(); ++i) {
    if (tree.self[i] != 0) flows.push_back({i, tree.self[i]});
  }
  if (path.empty()) return CallerTree(tree, min, tree.total[0]).grow(0, 0, std::move(flows));
  for (size_t i = 0; i < path.size(); ++i) {
    int64_t ended = 0;
    if (i > 0) flows = callers_of(tree, flows, &ended);
    std::erase_if(flows, [&](const Flow& f) { return tree.names[tree.name[f.node]] != path[i]; });
  }
  if (flows.empty()) return std::nullopt;
  int64_t ended = 0;
  Flows up = callers_of(tree, flows, &ended);
  return CallerTree(tree, min, sum(flows)).grow(tree.name[flows[0].node], ended, std::move(up));
}

std::optional<Sandwich> sandwich(const FunctionTree& tree, std::string_view function,
                                 std::optional<int64_t> min) {
  const auto known = std::find(tree.names.begin(), tree.names.end(), function);
  if (known == tree.names.end()) return std::nullopt;
  const auto name = static_cast<uint32_t>(known - tree.names.begin());
  Sandwich result;
  const std::vector<uint32_t> tops = outermost(tree, name, &result.recursive);
  if (tops.empty()) return std::nullopt;
  Flows flows;
  Overlay callees(tree, name);
  for (const uint32_t top : tops) {
    flows.push_back({top, tree.total[top]});
    callees.add(top);
  }
  for (uint32_t i = 1; i < tree.size(); ++i) {
    if (tree.name[i] == name) result.self = add_saturating(result.self, tree.self[i]);
  }
  result.paths = tops.size();
  result.total = sum(flows);
  int64_t ended = 0;
  Flows up = callers_of(tree, flows, &ended);
  result.callers = CallerTree(tree, min, result.total).grow(name, ended, std::move(up));
  result.callees = callees.finish();
  return result;
}

}  // namespace hearth::query
