#include "api/merged_profile.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "base/saturate.h"
#include "formats/pprof_encoder.h"
#include "query/function_tree.h"

namespace hearth::api {
namespace {

// The value of each node and of all below it.
std::vector<int64_t> totals_of(const formats::StackTree& tree) {
  std::vector<int64_t> total(tree.value);
  std::vector<int64_t> pending;  // By depth: nodes behind this one that have one parent.
  for (size_t i = tree.size(); i-- > 0;) {
    const size_t d = tree.depth[i];
    if (pending.size() < d + 2) pending.resize(d + 2, 0);
    total[i] = add_saturating(total[i], pending[d + 1]);
    pending[d + 1] = 0;
    pending[d] = add_saturating(pending[d], total[i]);
  }
  return total;
}

// The smallest total among the `max_nodes` largest; 0 when there are no more nodes than that.
int64_t threshold_of(const std::vector<int64_t>& total, int64_t max_nodes) {
  if (max_nodes <= 0 || static_cast<uint64_t>(max_nodes) >= total.size() - 1) return 0;
  std::vector<int64_t> totals(total.begin() + 1, total.end());
  const auto nth = totals.begin() + (max_nodes - 1);
  std::nth_element(totals.begin(), nth, totals.end(), std::greater<>());
  return *nth;
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

void cut_merged_profile(ProfileBatch& batch, formats::StackTree& stacks, int64_t max_nodes) {
  if (max_nodes <= 0 || batch.types() == 0) return;
  const std::vector<int64_t> total = totals_of(stacks);
  const int64_t threshold = threshold_of(total, max_nodes);
  if (threshold <= 0) return;
  const uint32_t other = batch.add_named_location(
      batch.add_string(query::kOther), batch.mappings.size() == 0 ? ProfileBatch::kNone : 0);
  formats::StackTree kept;
  kept.value[0] = stacks.value[0];
  for (size_t i = 1; i < stacks.size();) {
    const uint32_t depth = stacks.depth[i];
    kept.append(depth, stacks.location[i], stacks.value[i]);
    const bool folds = total[i] < threshold;
    const int64_t deeper = subtract_saturating(total[i], stacks.value[i]);
    ++i;
    if (!folds || i == stacks.size() || stacks.depth[i] <= depth) continue;
    kept.append(depth + 1, other, deeper);
    while (i < stacks.size() && stacks.depth[i] > depth) ++i;
  }
  stacks = std::move(kept);
}

std::string encode_merged_profile(ProfileBatch& batch, const formats::StackTree& stacks,
                                  const ProfileType& type, int64_t end_ns) {
  if (batch.types() == 0) return {};
  name_types(batch, type);
  batch.time_ns = end_ns;
  batch.duration_ns = 0;
  give_mappings(batch);
  std::string out = formats::encode_pprof(batch, stacks);
  // The encoder leaves out an empty period type; Pyroscope's clients find one, empty: field 11, no
  // bytes.
  if (batch.period_type.type == 0 && batch.period_type.unit == 0) out.append("\x5a\x00", 2);
  return out;
}

}  // namespace hearth::api
