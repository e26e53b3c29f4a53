#include <algorithm>
#include <map>
#include <set>

#include "base/saturate.h"
#include "query/group_sums.h"
#include "query/label_queries.h"
#include "query/page_queries.h"

namespace hearth::query {

Result<LabelCounts> label_counts(Engine& engine, const Tenant& tenant, const Selector& selector,
                                 TimeRange range, const CancelToken& token) {
  LabelCounts result;
  std::map<std::string, std::set<std::string>> values;
  HEARTH_RETURN_IF_ERROR(for_each_series(engine.impl(), tenant, selector, range, token,
                                         &result.cost,
                                         {[&values] { values.clear(); },
                                          [&values](const SeenSeries& seen) {
                                            for (const Label& l : seen.series.stored().labels()) {
                                              if (!l.name.starts_with("__"))
                                                values[l.name].insert(l.value);
                                            }
                                          }}));
  for (const auto& [name, set] : values) result.labels.push_back({name, set.size()});
  std::stable_sort(
      result.labels.begin(), result.labels.end(),
      [](const LabelCount& a, const LabelCount& b) { return (a.values > 1) > (b.values > 1); });
  return result;
}

Result<LabelShares> label_shares(Engine& engine, const ProfileQuery& query, const std::string& name,
                                 const CancelToken& token) {
  LabelShares result;
  GroupSums sums(engine.impl(), {name}, [](int64_t) { return GroupSums::Bucket(); });
  HEARTH_RETURN_IF_ERROR(sums.add(query, token, &result.cost));
  for (const GroupSums::Group& group : sums.finish()) {
    if (group.values[0].empty()) continue;
    result.values.push_back({group.values[0], group.total});
    result.sum = add_saturating(result.sum, group.total);
  }
  return result;
}

}  // namespace hearth::query
