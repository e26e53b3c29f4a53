#include "query/rollup_tree.h"

#include <algorithm>

#include "storage/rollup.h"

namespace hearth::query {
namespace {

using storage::Rollup;

// Which group of the rollup sums exactly the accepted series; groups.size() when none does.
size_t matching_group(const Rollup& rollup, const std::vector<LabelSet>& series,
                      const std::vector<uint8_t>& accepted, const Selector& selector) {
  if (std::ranges::find(accepted, 0) == accepted.end()) return rollup.find_group("", "");
  for (const Matcher& m : selector.matchers()) {
    if (m.op() != Matcher::Op::equal || m.value().empty() || is_derived_label(m.name())) continue;
    const size_t group = rollup.find_group(m.name(), m.value());
    if (group == rollup.groups.size()) continue;
    bool same = true;
    for (size_t s = 0; s < series.size() && same; ++s)
      same = (accepted[s] != 0) == (series[s].get(m.name()) == m.value());
    if (same) return group;
  }
  return rollup.groups.size();
}

}  // namespace

Result<std::optional<RollupTree>> rollup_tree(Engine::Impl& impl,
                                              const storage::RollupSource& dataset,
                                              const ProfileQuery& query, Cost* cost) {
  const storage::DatasetInfo& info = dataset.info();
  if (!dataset.has_rollup() || info.t_min_ns < query.range.start_ns ||
      info.t_max_ns > query.range.end_ns) {
    return std::nullopt;
  }
  const auto type = type_index(info, query.type);
  if (!type) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(const auto accepted,
                          accepted_series(dataset, query.type, query.selector, *type));
  if (std::ranges::find(accepted, 1) == accepted.end()) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  HEARTH_ASSIGN_OR_RETURN(const auto functions, impl.symbols.rollup(dataset));
  const Rollup& rollup = *functions->rollup;
  if (rollup.saturated) return std::nullopt;
  const size_t group = matching_group(rollup, *series, accepted, query.selector);
  if (group == rollup.groups.size()) return std::nullopt;

  HEARTH_ASSIGN_OR_RETURN(auto self, impl.scratch.borrow(rollup.nodes()));
  rollup.add(group, *type, self.values());
  RollupTree out;
  out.tree = sorted_tree(functions->depth, functions->label, self.values(), rollup.names.size(),
                         [&](uint32_t label) { return rollup.names[label]; });
  out.owner = functions;
  cost->profiles += info.profiles;
  cost->datasets += 1;
  cost->scanned_bytes += rollup.memory_bytes();
  return out;
}

}  // namespace hearth::query
