#include "storage/tree_sections.h"

#include <algorithm>

#include "storage/column_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

/// Nodes grouped by the location of their parent, ids ascending in a group: a counting sort. Group
/// l is [begin[l], begin[l + 1]) of `node`.
struct Groups {
  std::vector<uint32_t> begin, node;
};

Groups group_by_parent_location(std::span<const uint32_t> parent,
                                std::span<const uint32_t> location, size_t locations) {
  Groups g{std::vector<uint32_t>(locations + 1), std::vector<uint32_t>(parent.size() - 1)};
  for (size_t i = 1; i < parent.size(); ++i) ++g.begin[location[parent[i]] + 1];
  for (size_t l = 1; l <= locations; ++l) g.begin[l] += g.begin[l - 1];
  std::vector<uint32_t> next(g.begin.begin(), g.begin.end() - 1);
  for (size_t i = 1; i < parent.size(); ++i)
    g.node[next[location[parent[i]]]++] = static_cast<uint32_t>(i);
  return g;
}

struct Frame {
  uint32_t node;
  uint32_t location;
  uint32_t rank_min;  ///< Smallest edge index or location the next child may have.
};

tl::unexpected<Error> bad_edge(std::string_view what) {
  return section_damaged(SectionKind::edges, what);
}
tl::unexpected<Error> bad_tree(std::string_view what) {
  return section_damaged(SectionKind::tree, what);
}

}  // namespace

RankedEdges rank_edges(std::span<const uint32_t> parent, std::span<const uint32_t> location,
                       size_t locations) {
  const Groups groups = group_by_parent_location(parent, location, locations);
  RankedEdges r{{std::vector<uint32_t>(locations + 1), {}}, std::vector<uint32_t>(parent.size())};
  std::vector<uint32_t> uses(locations);
  std::vector<uint32_t> rank(locations);
  std::vector<uint32_t> list;
  for (size_t l = 0; l < locations; ++l) {
    const std::span group(groups.node.begin() + groups.begin[l],
                          groups.node.begin() + groups.begin[l + 1]);
    list.clear();
    for (const uint32_t node : group) {
      if (uses[location[node]]++ == 0) list.push_back(location[node]);
    }
    std::ranges::sort(list, [&](uint32_t a, uint32_t b) {
      return uses[a] != uses[b] ? uses[a] > uses[b] : a < b;
    });
    for (size_t i = 0; i < list.size(); ++i) {
      rank[list[i]] = static_cast<uint32_t>(i);
      uses[list[i]] = 0;
    }
    for (const uint32_t node : group) r.rank[node] = rank[location[node]];
    r.successors.target.insert(r.successors.target.end(), list.begin(), list.end());
    r.successors.begin[l + 1] = static_cast<uint32_t>(r.successors.target.size());
  }
  return r;
}

void encode_edges(const Successors& successors, std::string& out) {
  std::vector<uint32_t> counts(successors.begin.size() - 1);
  for (size_t l = 0; l < counts.size(); ++l)
    counts[l] = successors.begin[l + 1] - successors.begin[l];
  put_vcol(out, counts);
  put_svb(out, successors.target);
}

Status decode_edges(std::string_view raw, size_t locations, Successors& out) {
  ByteReader reader(raw);
  std::vector<uint32_t> counts;
  if (!read_vcol(reader, locations, limit::kNodes, counts)) return bad_edge("successor counts");
  out.begin.assign(locations + 1, 0);
  uint64_t total = 0;
  for (size_t l = 0; l < locations; ++l) {
    total += counts[l];
    if (total > limit::kNodes) return bad_edge("more edges than nodes");
    out.begin[l + 1] = static_cast<uint32_t>(total);
  }
  if (!read_svb(reader, total, static_cast<uint32_t>(locations - 1), out.target) ||
      !reader.done()) {
    return bad_edge("targets");
  }
  if (std::ranges::find(out.target, 0U) != out.target.end())
    return bad_edge("the root as a target");
  return {};
}

Status encode_tree(std::span<const uint32_t> parent, std::span<const uint32_t> rank,
                   std::string& out) {
  const size_t nodes = parent.size() - 1;
  if (nodes > limit::kNodes) return section_too_large(SectionKind::tree, "more than 2^24 nodes");
  std::vector<uint32_t> depth(parent.size());
  std::vector<uint32_t> pops(nodes);
  for (size_t i = 1; i <= nodes; ++i) {
    depth[i] = depth[parent[i]] + 1;
    if (depth[i] > limit::kDepth)
      return section_too_large(SectionKind::tree, "a stack deeper than 65535");
    pops[i - 1] = depth[i - 1] - depth[parent[i]];
  }
  put_vcol(out, pops);
  put_vcol(out, rank.subspan(1));
  return {};
}

Status decode_tree(std::string_view raw, size_t nodes, const Successors& successors,
                   ChildOrder order, std::vector<uint32_t>& parent,
                   std::vector<uint32_t>& location) {
  ByteReader reader(raw);
  std::vector<uint32_t> pops;
  std::vector<uint32_t> edge;
  if (!read_vcol(reader, nodes, limit::kDepth, pops)) return bad_tree("pops");
  if (!read_vcol(reader, nodes, limit::kNodes, edge) || !reader.done())
    return bad_tree("edge indexes");
  parent.assign(nodes + 1, 0);
  location.assign(nodes + 1, 0);
  // Raw pointers: this loop is two nanoseconds a node, and every index was or is checked.
  uint32_t* const parents = parent.data();
  uint32_t* const locations = location.data();
  const uint32_t* const begin = successors.begin.data();
  const uint32_t* const target = successors.target.data();
  const bool by_edge = order == ChildOrder::by_edge;
  std::vector<Frame> stack(std::min<size_t>(nodes, limit::kDepth) + 1);
  Frame* top = stack.data();
  const Frame* const end = top + limit::kDepth;
  for (size_t i = 1; i <= nodes; ++i) {
    const uint32_t up = pops.data()[i - 1];
    if (up > static_cast<size_t>(top - stack.data())) return bad_tree("pops above the root");
    top -= up;
    const uint64_t position = uint64_t{begin[top->location]} + edge.data()[i - 1];
    if (position >= begin[top->location + 1]) return bad_tree("edge index");
    const uint32_t rank = by_edge ? edge.data()[i - 1] : target[position];
    if (rank < top->rank_min) return bad_tree("children out of order");
    if (top == end) return bad_tree("deeper than 65535");
    top->rank_min = rank + 1;
    parents[i] = top->node;
    locations[i] = target[position];
    *++top = {static_cast<uint32_t>(i), target[position], 0};
  }
  return {};
}

}  // namespace hearth::storage
