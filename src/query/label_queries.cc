#include "query/label_queries.h"

#include <algorithm>
#include <set>

#include "query/scan.h"

namespace hearth::query {
namespace {

struct Seen {
  int64_t newest_ns = INT64_MIN;
  uint64_t profiles = 0;
};

// seen[series] for one sample type.
std::vector<Seen> seen_in(const storage::ProfileColumns& columns, size_t type, size_t series,
                          TimeRange range) {
  std::vector<Seen> seen(series);
  for (size_t p = 0; p < columns.size(); ++p) {
    const int64_t start = columns.start_ns[p];
    if (columns.totals[type][p] == 0 || start < range.start_ns || start > range.end_ns) continue;
    Seen& s = seen[columns.series[p]];
    s.newest_ns = std::max(s.newest_ns, start);
    ++s.profiles;
  }
  return seen;
}

// Visited when all datasets were read: until then a new view may be needed.
struct SeenDataset {
  Family family;
  std::shared_ptr<const std::vector<LabelSet>> series;
  std::vector<std::vector<Seen>> by_type;
};

Result<SeenDataset> see_dataset(const storage::Dataset& dataset, TimeRange range) {
  SeenDataset out{dataset.info().family, nullptr, {}};
  HEARTH_ASSIGN_OR_RETURN(out.series, dataset.series());
  HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
  for (size_t t = 0; t < out.family.types.size(); ++t)
    out.by_type.push_back(seen_in(*columns, t, out.series->size(), range));
  return out;
}

void visit_seen(const SeenDataset& dataset, const Selector& selector,
                const std::function<void(const SeenSeries&)>& visit) {
  for (size_t t = 0; t < dataset.by_type.size(); ++t) {
    for (size_t s = 0; s < dataset.series->size(); ++s) {
      const Seen& seen = dataset.by_type[t][s];
      if (seen.profiles == 0) continue;
      const VirtualSeries candidate((*dataset.series)[s], dataset.family.types[t],
                                    dataset.family.period);
      if (candidate.matches(selector)) visit({candidate, seen.newest_ns, seen.profiles});
    }
  }
}

}  // namespace

Status for_each_series(Engine::Impl& impl, const Tenant& tenant, const Selector& selector,
                       TimeRange range, const CancelToken& token, Cost* cost,
                       const std::function<void(const SeenSeries&)>& visit) {
  std::vector<SeenDataset> found;
  const Cost cost_before = *cost;
  HEARTH_RETURN_IF_ERROR(with_fresh_views([&] {
    found.clear();
    *cost = cost_before;
    return scan(*impl.options.store, tenant, selector, range, token, cost,
                [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
                  HEARTH_ASSIGN_OR_RETURN(auto seen, see_dataset(*dataset, range));
                  cost->datasets += 1;
                  found.push_back(std::move(seen));
                  return {};
                });
  }));
  for (const SeenDataset& dataset : found) visit_seen(dataset, selector, visit);
  return {};
}

Result<std::vector<ProfileType>> Engine::profile_types(const Tenant& tenant, TimeRange range,
                                                       const CancelToken& token) {
  std::set<std::pair<std::string, ProfileType>> types;  // By id, as clients compare.
  Cost cost;
  HEARTH_RETURN_IF_ERROR(for_each_series(
      *impl_, tenant, {}, range, token, &cost,
      [&](const SeenSeries& seen) { types.emplace(seen.series.type().id(), seen.series.type()); }));
  std::vector<ProfileType> result;
  for (const auto& [id, type] : types) result.push_back(type);
  return result;
}

Result<std::vector<std::string>> Engine::label_names(const Tenant& tenant, const Selector& selector,
                                                     TimeRange range, const CancelToken& token) {
  std::set<std::string> names;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(
      for_each_series(*impl_, tenant, selector, range, token, &cost, [&](const SeenSeries& seen) {
        const LabelSet all = seen.series.labels();
        for (const Label& l : all.labels()) names.insert(l.name);
      }));
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> Engine::label_values(const Tenant& tenant,
                                                      const Selector& selector,
                                                      const std::string& name, TimeRange range,
                                                      const CancelToken& token) {
  if (name.empty())
    return fail(ErrorCode::invalid_argument, "label values: the label name is empty");
  std::set<std::string, std::less<>> values;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(
      for_each_series(*impl_, tenant, selector, range, token, &cost, [&](const SeenSeries& seen) {
        const std::string_view value = seen.series.get(name);
        if (!value.empty() && values.find(value) == values.end()) values.emplace(value);
      }));
  return std::vector<std::string>(values.begin(), values.end());
}

Result<std::vector<LabelSet>> Engine::series(const Tenant& tenant, const Selector& selector,
                                             const std::vector<std::string>& names, TimeRange range,
                                             const CancelToken& token) {
  std::set<LabelSet> sets;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(
      for_each_series(*impl_, tenant, selector, range, token, &cost, [&](const SeenSeries& seen) {
        LabelSet kept;
        for (const std::string& name : names) kept.set(name, seen.series.get(name));
        if (names.empty()) kept = seen.series.labels();
        if (!kept.empty()) sets.insert(std::move(kept));
      }));
  return std::vector<LabelSet>(sets.begin(), sets.end());
}

Result<std::optional<TimeRange>> Engine::extent(const Tenant& tenant, const CancelToken& token) {
  std::optional<TimeRange> extent;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(
      scan(*impl_->options.store, tenant, {}, {}, token, &cost,
           [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
             const storage::DatasetInfo& info = dataset->info();
             if (info.profiles == 0) return {};
             if (!extent) extent = TimeRange{info.t_min_ns, info.t_max_ns};
             extent->start_ns = std::min(extent->start_ns, info.t_min_ns);
             extent->end_ns = std::max(extent->end_ns, info.t_max_ns);
             return {};
           }));
  return extent;
}

}  // namespace hearth::query
