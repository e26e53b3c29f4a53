#include "query/projection.h"

#include <algorithm>
#include <numeric>

namespace hearth::query {
namespace {

// The children of each node as a list: first[p], then next[c] until 0. Ascending.
struct Children {
  std::vector<uint32_t> first, next;
};

Children children_of(std::span<const uint32_t> parent, std::span<const uint8_t> wanted) {
  Children c{std::vector<uint32_t>(parent.size(), 0), std::vector<uint32_t>(parent.size(), 0)};
  for (size_t n = parent.size(); n-- > 1;) {
    if (!wanted.empty() && !wanted[n]) continue;
    c.next[n] = c.first[parent[n]];
    c.first[parent[n]] = static_cast<uint32_t>(n);
  }
  return c;
}

// Walks the new tree in its canonical order. A new node stands for a group of places in the old
// tree: a location node and how many of its frames are still to come. The frames next to come, of
// all places of the group, are sorted by label; equal ones are the next group. A group of one place
// walks through memory in order, so that most of the work waits for nothing.
class Projector {
 public:
  Projector(const symbols::SymbolTables& tables, const FrameLabels& frames,
            std::span<const uint8_t> wanted)
      : location_(tables.node_location),
        frames_(frames),
        children_(children_of(tables.node_parent, wanted)) {
    out_.node.assign(tables.nodes(), kNoNode);
    // Programs have about half as many function nodes as location nodes.
    const size_t nodes = wanted.empty() ? tables.nodes() / 2 : 0;
    out_.depth.reserve(nodes);
    out_.label.reserve(nodes);
  }

  Projection run() {
    append(0, 0);
    places_.push_back({0, 0});
    open_children(0);
    while (!open_.empty()) {
      const uint32_t parent = open_.back().parent;
      const uint32_t label = open_.back().label;
      places_.clear();
      for (; !open_.empty() && open_.back().parent == parent && open_.back().label == label;
           open_.pop_back()) {
        places_.push_back(open_.back().place);
      }
      uint32_t at = append(label, out_.depth[parent] + 1);
      while (places_.size() == 1 && only_child(at)) {
      }
      open_children(at);
    }
    return std::move(out_);
  }

 private:
  struct Place {
    uint32_t node;
    uint32_t inner;  ///< Frames of the node's location that are still to come.
  };
  struct Open {
    uint32_t parent, label;  ///< The new node to be.
    Place place;
  };

  uint32_t append(uint32_t label, uint32_t depth) {
    out_.label.push_back(label);
    out_.depth.push_back(depth);
    return static_cast<uint32_t>(out_.label.size() - 1);
  }

  // Most nodes stand for one place with one child: a chain is walked without opening lists. Moves
  // the place on, and `at` to the new node, if there is one; false at the end of the chain.
  bool only_child(uint32_t& at) {
    Place& place = places_.front();
    if (place.inner == 0) {
      const uint32_t child = children_.first[place.node];
      if (child == 0 || children_.next[child] != 0) return false;
      out_.node[place.node] = at;
      const uint32_t* const begin = frames_.begin.data() + location_[child];
      place = {child, begin[1] - begin[0]};
      if (place.inner == 0) return true;
    }
    --place.inner;
    at = append(frames_.label[frames_.begin[location_[place.node]] + place.inner],
                out_.depth[at] + 1);
    return true;
  }

  void open_frame(uint32_t parent, uint32_t node, uint32_t inner) {
    const uint32_t label = frames_.label[frames_.begin[location_[node]] + inner];
    open_.push_back({parent, label, {node, inner}});
  }

  // `places_` grows while nodes without frames are found.
  void open_children(uint32_t at) {
    const size_t from = open_.size();
    for (size_t i = 0; i < places_.size(); ++i) {
      const Place place = places_[i];
      if (place.inner > 0) {
        open_frame(at, place.node, place.inner - 1);
        continue;
      }
      out_.node[place.node] = at;
      for (uint32_t c = children_.first[place.node]; c != 0; c = children_.next[c]) {
        const uint32_t count = frames_.begin[location_[c] + 1] - frames_.begin[location_[c]];
        if (count == 0) {
          places_.push_back({c, 0});
        } else {
          open_frame(at, c, count - 1);
        }
      }
    }
    sort_descending(from);
  }

  // The smallest label is taken from the end first. Most lists are short.
  void sort_descending(size_t from) {
    const auto begin = open_.begin() + static_cast<ptrdiff_t>(from);
    constexpr ptrdiff_t kShort = 16;
    if (open_.end() - begin > kShort) {
      std::sort(begin, open_.end(), [](const Open& a, const Open& b) { return a.label > b.label; });
      return;
    }
    for (auto it = begin; it < open_.end(); ++it) {
      const Open item = *it;
      auto to = it;
      for (; to > begin && (to - 1)->label < item.label; --to) *to = *(to - 1);
      *to = item;
    }
  }

  std::span<const uint32_t> location_;
  const FrameLabels& frames_;
  const Children children_;
  Projection out_;
  std::vector<Open> open_;
  std::vector<Place> places_;
};

}  // namespace

TextOrder order_texts(std::span<const std::string_view> texts) {
  TextOrder out;
  std::vector<uint32_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto less = [&texts](uint32_t a, uint32_t b) { return texts[a] < texts[b]; };
  // The strings of a segment are sorted.
  if (!std::is_sorted(order.begin(), order.end(), less))
    std::sort(order.begin(), order.end(), less);
  out.number.resize(texts.size(), 0);
  for (size_t i = 0; i < order.size(); ++i) {
    const std::string_view text = texts[order[i]];
    if (!text.empty() && (i == 0 || texts[order[i - 1]] != text)) out.first.push_back(order[i]);
    out.number[order[i]] = static_cast<uint32_t>(out.first.size());
  }
  return out;
}

FrameLabels function_frames(const symbols::SymbolTables& tables) {
  std::vector<uint8_t> is_name(tables.strings.size(), 0);
  for (const uint32_t string : tables.function_name) is_name[string] = 1;
  std::vector<uint32_t> names;
  std::vector<std::string_view> texts;
  for (uint32_t s = 0; s < is_name.size(); ++s) {
    if (!is_name[s]) continue;
    names.push_back(s);
    texts.push_back(tables.strings[s]);
  }
  const TextOrder order = order_texts(texts);
  std::vector<uint32_t> number(tables.strings.size(), 0);
  for (size_t i = 0; i < names.size(); ++i) number[names[i]] = order.number[i];

  FrameLabels out;
  out.begin = tables.line_begin;
  out.label.reserve(tables.line_function.size());
  for (const uint32_t function : tables.line_function)
    out.label.push_back(number[tables.function_name[function]]);
  out.texts.emplace_back();
  for (const uint32_t i : order.first) out.texts.push_back(texts[i]);
  return out;
}

Projection project(const symbols::SymbolTables& tables, const FrameLabels& frames,
                   std::span<const uint8_t> wanted) {
  return Projector(tables, frames, wanted).run();
}

size_t mark_touched(std::span<const uint32_t> parent, std::span<const int64_t> self,
                    std::vector<uint8_t>& touched) {
  touched.assign(parent.size(), 0);
  size_t count = 0;
  for (size_t i = parent.size(); i-- > 1;) {
    touched[i] |= static_cast<uint8_t>(self[i] != 0);
    touched[parent[i]] |= touched[i];
    count += touched[i];
  }
  return count;
}

// pending[d]: whether a node of depth d behind this one, with the same parent, is touched.
size_t mark_touched_preorder(std::span<const uint32_t> depth, std::span<const int64_t> self,
                             std::vector<uint8_t>& touched) {
  touched.assign(depth.size(), 0);
  std::vector<uint8_t> pending(*std::ranges::max_element(depth) + size_t{2}, 0);
  size_t count = 0;
  for (size_t i = depth.size(); i-- > 1;) {
    uint8_t* const at = pending.data() + depth[i];
    const auto mark = static_cast<uint8_t>(at[1] | static_cast<uint8_t>(self[i] != 0));
    at[1] = 0;
    at[0] |= mark;
    touched[i] = mark;
    count += mark;
  }
  return count;
}

bool leaves_have_value(std::span<const uint32_t> depth, std::span<const int64_t> self) {
  if (self.back() == 0) return self.size() == 1;
  // Which nodes are leaves is as good as random, so nothing branches.
  unsigned without = 0;
  for (size_t i = 1; i + 1 < self.size(); ++i)
    without |=
        static_cast<unsigned>(depth[i + 1] <= depth[i]) & static_cast<unsigned>(self[i] == 0);
  return without == 0;
}

SortedTree all_nodes(std::span<const uint32_t> depth, std::span<const uint32_t> label,
                     std::span<const int64_t> self) {
  SortedTree out;
  out.depth.assign(depth.begin(), depth.end());
  out.label.assign(label.begin(), label.end());
  out.self.assign(self.begin(), self.end());
  return out;
}

SortedTree touched_nodes(std::span<const uint32_t> depth, std::span<const uint32_t> label,
                         std::span<const int64_t> self) {
  std::vector<uint8_t> touched;
  const size_t nodes = 1 + mark_touched_preorder(depth, self, touched);
  SortedTree out;
  out.self[0] = self[0];
  out.depth.reserve(nodes);
  out.label.reserve(nodes);
  out.self.reserve(nodes);
  for (size_t i = 1; i < self.size(); ++i) {
    if (!touched[i]) continue;
    out.depth.push_back(depth[i]);
    out.label.push_back(label[i]);
    out.self.push_back(self[i]);
  }
  return out;
}

}  // namespace hearth::query
