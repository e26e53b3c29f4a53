#include "api/flame_diff.h"

#include <algorithm>
#include <array>
#include <functional>
#include <queue>
#include <unordered_map>

#include "api/flame_graph.h"
#include "base/hash.h"
#include "querier.pb.h"

namespace hearth::api {
namespace {

constexpr std::string_view kTotal = "total";
constexpr uint32_t kAbsent = UINT32_MAX;

struct Side {
  explicit Side(const query::FunctionTree& t) : tree(t), ends(subtree_ends(t)) {}
  const query::FunctionTree& tree;
  std::vector<uint32_t> ends;

  [[nodiscard]] int64_t total(uint32_t node) const {
    return node == kAbsent || tree.size() == 0 ? 0 : tree.total[node];
  }
  [[nodiscard]] int64_t self(uint32_t node) const {
    return node == kAbsent || tree.size() == 0 ? 0 : tree.self[node];
  }
  [[nodiscard]] uint32_t first_child(uint32_t node) const {
    if (node == kAbsent || tree.size() == 0 || node + 1 >= ends[node]) return kAbsent;
    return node + 1;
  }
  [[nodiscard]] uint32_t sibling(uint32_t child, uint32_t parent) const {
    return ends[child] < ends[parent] ? ends[child] : kAbsent;
  }
  [[nodiscard]] std::string_view name(uint32_t node) const { return tree.names[tree.name[node]]; }
};

struct Pair {
  uint32_t left = kAbsent;
  uint32_t right = kAbsent;
};

/// Children of a pair in byte order of their names, a missing side being kAbsent.
template <class Visit>
void for_each_child(const Side& left, const Side& right, Pair parent, Visit visit) {
  uint32_t l = left.first_child(parent.left);
  uint32_t r = right.first_child(parent.right);
  while (l != kAbsent || r != kAbsent) {
    int order = l == kAbsent ? 1 : -1;
    if (l != kAbsent && r != kAbsent) order = left.name(l).compare(right.name(r));
    visit(Pair{order <= 0 ? l : kAbsent, order >= 0 ? r : kAbsent});
    if (order <= 0) l = left.sibling(l, parent.left);
    if (order >= 0) r = right.sibling(r, parent.right);
  }
}

int64_t larger_total(const Side& left, const Side& right, Pair pair) {
  return std::max(left.total(pair.left), right.total(pair.right));
}

// The n-th largest total over all pairs, subtrees below it left out, as in a cut of one
// tree; 0 when there are at most n.
int64_t threshold(const Side& left, const Side& right, int64_t max_nodes) {
  if (max_nodes <= 0) return 0;
  std::priority_queue<int64_t, std::vector<int64_t>, std::greater<>> largest;
  bool over = false;
  std::vector<Pair> stack{{0, 0}};
  while (!stack.empty()) {
    const Pair pair = stack.back();
    stack.pop_back();
    const int64_t total = larger_total(left, right, pair);
    if (static_cast<int64_t>(largest.size()) >= max_nodes) {
      over = true;
      if (total <= largest.top()) continue;
      largest.pop();
    }
    largest.push(total);
    for_each_child(left, right, pair, [&stack](Pair child) { stack.push_back(child); });
  }
  return over ? largest.top() : 0;
}

struct Bar {
  Pair pair;
  bool folded = false;
  uint32_t depth = 0;
  std::array<int64_t, 2> x{}, total{}, self{};
};

class Builder {
 public:
  Builder(const Side& left, const Side& right, int64_t threshold_total)
      : left_(left), right_(right), threshold_(threshold_total), index_{{kTotal, 0}} {
    diff_.names.push_back(kTotal);
  }

  FlameDiff build() {
    stack_.push_back(bar_of({0, 0}, 0, {0, 0}));
    diff_.left_ticks = stack_.back().total[0];
    diff_.right_ticks = stack_.back().total[1];
    while (!stack_.empty()) {
      const Bar bar = stack_.back();
      stack_.pop_back();
      add(bar);
      if (!bar.folded) push_children(bar);
    }
    for (auto& level : diff_.levels) finish(level);
    return std::move(diff_);
  }

 private:
  [[nodiscard]] Bar bar_of(Pair pair, uint32_t depth, std::array<int64_t, 2> x) const {
    return {pair,
            false,
            depth,
            x,
            {left_.total(pair.left), right_.total(pair.right)},
            {left_.self(pair.left), right_.self(pair.right)}};
  }

  // Kept children stand left to right behind the parent's own values; what is folded comes last.
  void push_children(const Bar& bar) {
    std::array x{bar.x[0] + bar.self[0], bar.x[1] + bar.self[1]};
    Bar other{{}, true, bar.depth + 1, {}, {}, {}};
    for_each_child(left_, right_, bar.pair, [&](Pair pair) {
      const Bar child = bar_of(pair, bar.depth + 1, x);
      const bool kept = std::max(child.total[0], child.total[1]) >= threshold_;
      for (size_t side = 0; side < 2; ++side) (kept ? x : other.total)[side] += child.total[side];
      if (kept) stack_.push_back(child);
    });
    if (other.total[0] == 0 && other.total[1] == 0) return;
    other.x = x;
    other.self = other.total;
    stack_.push_back(other);
  }

  [[nodiscard]] std::string_view text(const Bar& bar) const {
    if (bar.folded) return query::kOther;
    if (bar.depth == 0) return kTotal;
    return bar.pair.left != kAbsent ? left_.name(bar.pair.left) : right_.name(bar.pair.right);
  }

  void add(const Bar& bar) {
    const auto [it, is_new] =
        index_.try_emplace(text(bar), static_cast<int64_t>(diff_.names.size()));
    if (is_new) diff_.names.push_back(it->first);
    if (diff_.levels.size() <= bar.depth) diff_.levels.resize(bar.depth + 1);
    diff_.max_self = std::max({diff_.max_self, bar.self[0], bar.self[1]});
    const std::array septuple{bar.x[0],     bar.total[0], bar.self[0], bar.x[1],
                              bar.total[1], bar.self[1],  it->second};
    auto& level = diff_.levels[bar.depth];
    level.insert(level.end(), septuple.begin(), septuple.end());
  }

  // Bars arrived right to left; each x becomes the distance from the end of the bar before it.
  static void finish(std::vector<int64_t>& level) {
    constexpr ptrdiff_t kWidth = 7;
    for (ptrdiff_t i = 0, j = std::ssize(level) - kWidth; i < j; i += kWidth, j -= kWidth) {
      std::swap_ranges(level.begin() + i, level.begin() + i + kWidth, level.begin() + j);
    }
    std::array<int64_t, 2> end{};
    for (size_t i = 0; i < level.size(); i += kWidth) {
      for (size_t side = 0; side < 2; ++side) {
        int64_t& offset = level[i + 3 * side];
        const int64_t x = offset;
        offset = x - end[side];
        end[side] = x + level[i + 3 * side + 1];
      }
    }
  }

  const Side& left_;
  const Side& right_;
  const int64_t threshold_;
  FlameDiff diff_;
  std::vector<Bar> stack_;
  std::unordered_map<std::string_view, int64_t> index_;
};

}  // namespace

FlameDiff flame_diff(const query::FunctionTree& left, const query::FunctionTree& right,
                     int64_t max_nodes) {
  const Side left_side(left);
  const Side right_side(right);
  return Builder(left_side, right_side, threshold(left_side, right_side, max_nodes)).build();
}

void to_proto(const FlameDiff& diff, querier::v1::FlameGraphDiff& message) {
  for (const std::string_view name : diff.names) message.add_names(name.data(), name.size());
  for (const auto& level : diff.levels)
    message.add_levels()->mutable_values()->Add(level.begin(), level.end());
  message.set_total(diff.total());
  message.set_max_self(diff.max_self);
  message.set_leftticks(diff.left_ticks);
  message.set_rightticks(diff.right_ticks);
}

}  // namespace hearth::api
