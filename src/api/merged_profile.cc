#include "api/merged_profile.h"

#include <algorithm>
#include <map>
#include <vector>

#include "api/merged_stacks.h"
#include "formats/pprof_encoder.h"
#include "query/function_tree.h"

namespace hearth::api {
namespace {

/// The stacks of a batch as a tree: one node per path of locations from the root.
struct LocationTree {
  query::LooseTree nodes;  ///< Names are the numbers of the locations, as text.
  std::vector<std::string> texts;
  std::vector<uint32_t> leaf;  ///< Per sample: its node.
  std::vector<int64_t> total;  ///< Per node.
};

// Named by number: which names they have does not matter for what is large.
LocationTree location_tree(const ProfileBatch& batch) {
  LocationTree tree;
  tree.texts.reserve(batch.locations.size());
  tree.nodes = {.parent = {0}, .name = {0}, .self = {0}, .names = {""}};
  for (size_t i = 0; i < batch.locations.size(); ++i)
    tree.nodes.names.push_back(tree.texts.emplace_back(std::to_string(i)));
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> children;
  for (size_t sample = 0; sample < batch.samples.size(); ++sample) {
    uint32_t node = 0;
    const auto stack = batch.stack(sample);
    for (size_t i = stack.size(); i-- > 0;) {
      const auto [it, is_new] =
          children.try_emplace({node, stack[i]}, static_cast<uint32_t>(tree.nodes.parent.size()));
      if (is_new) {
        tree.nodes.parent.push_back(node);
        tree.nodes.name.push_back(stack[i] + 1);
        tree.nodes.self.push_back(0);
      }
      node = it->second;
    }
    tree.nodes.self[node] += batch.value(sample, 0);
    tree.leaf.push_back(node);
  }
  tree.total = tree.nodes.self;
  for (size_t i = tree.total.size(); i-- > 1;) tree.total[tree.nodes.parent[i]] += tree.total[i];
  return tree;
}

// Samples without frames count in time series, but are no stacks.
void drop_empty_stacks(ProfileBatch& batch) {
  const auto& begin = batch.samples.stack_begin;
  if (std::ranges::adjacent_find(begin) == begin.end()) return;
  MergedStacks stacks;
  for (size_t sample = 0; sample < batch.samples.size(); ++sample) {
    const auto stack = batch.stack(sample);
    if (!stack.empty()) stacks[{stack.begin(), stack.end()}] += batch.value(sample, 0);
  }
  replace_samples(batch, stacks);
}

// Tools expect every location to have a mapping; those that came without one share an empty one.
void give_mappings(ProfileBatch& batch) {
  if (std::ranges::find(batch.locations.mapping, ProfileBatch::kNone) ==
      batch.locations.mapping.end())
    return;
  auto& m = batch.mappings;
  m.start.push_back(0);
  m.limit.push_back(0);
  m.offset.push_back(0);
  m.file.push_back(0);
  m.build_id.push_back(0);
  m.flags.push_back(0);
  std::ranges::replace(batch.locations.mapping, ProfileBatch::kNone,
                       static_cast<uint32_t>(m.size() - 1));
}

void name_types(ProfileBatch& batch, const ProfileType& type) {
  batch.sample_types[0] = {batch.add_string(type.sample.type), batch.add_string(type.sample.unit)};
  batch.default_sample_type = batch.sample_types[0].type;
  batch.period_type = {};
  if (!type.period.type.empty()) batch.period_type.type = batch.add_string(type.period.type);
  if (!type.period.unit.empty()) batch.period_type.unit = batch.add_string(type.period.unit);
  batch.period = type.name == "process_cpu" ? 1'000'000'000 : type.name == "memory" ? 524'288 : 1;
}

}  // namespace

void cut_merged_profile(ProfileBatch& batch, int64_t max_nodes) {
  if (max_nodes <= 0 || batch.types() == 0) return;
  const LocationTree tree = location_tree(batch);
  const int64_t threshold = query::canonical_tree(tree.nodes).threshold(max_nodes);
  if (threshold <= 0) return;
  const uint32_t other = batch.add_named_location(
      batch.add_string(query::kOther), batch.mappings.size() == 0 ? ProfileBatch::kNone : 0);
  MergedStacks stacks;
  for (size_t sample = 0; sample < batch.samples.size(); ++sample) {
    std::vector<uint32_t> stack(batch.stack(sample).begin(), batch.stack(sample).end());
    size_t deeper = 0;  // Frames below the first node, from the root, that is under the threshold.
    uint32_t node = tree.leaf[sample];
    for (size_t depth = 0; depth < stack.size(); ++depth, node = tree.nodes.parent[node]) {
      if (tree.total[node] < threshold) deeper = depth;
    }
    if (deeper > 0) {
      stack.erase(stack.begin(), stack.begin() + static_cast<ptrdiff_t>(deeper) - 1);
      stack.front() = other;
    }
    stacks[std::move(stack)] += batch.value(sample, 0);
  }
  replace_samples(batch, stacks);
}

std::string encode_merged_profile(ProfileBatch& batch, const ProfileType& type, int64_t end_ns) {
  if (batch.types() == 0) return {};
  name_types(batch, type);
  batch.time_ns = end_ns;
  batch.duration_ns = 0;
  drop_empty_stacks(batch);
  give_mappings(batch);
  std::string out = formats::encode_pprof(batch);
  // The encoder leaves out an empty period type; Pyroscope's clients find one, empty: field 11, no
  // bytes.
  if (batch.period_type.type == 0 && batch.period_type.unit == 0) out.append("\x5a\x00", 2);
  return out;
}

}  // namespace hearth::api
