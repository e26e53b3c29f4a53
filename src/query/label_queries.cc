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

Status visit_dataset(const storage::Dataset& dataset, const Selector& selector, TimeRange range,
                     const SeriesVisitor& visitor) {
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  HEARTH_ASSIGN_OR_RETURN(const auto columns, dataset.profiles());
  const Family& family = dataset.info().family;
  for (size_t t = 0; t < family.types.size(); ++t) {
    const std::vector<Seen> seen = seen_in(*columns, t, series->size(), range);
    for (size_t s = 0; s < series->size(); ++s) {
      if (seen[s].profiles == 0) continue;
      const VirtualSeries candidate((*series)[s], family.types[t], family.period);
      if (candidate.matches(selector))
        visitor.visit({candidate, seen[s].newest_ns, seen[s].profiles});
    }
  }
  return {};
}

}  // namespace

Status for_each_series(Engine::Impl& impl, const Tenant& tenant, const Selector& selector,
                       TimeRange range, const CancelToken& token, Cost* cost,
                       const SeriesVisitor& visitor) {
  const Cost cost_before = *cost;
  return with_fresh_views([&] {
    visitor.restart();
    *cost = cost_before;
    return scan(*impl.options.store, tenant, selector, range, token, cost,
                [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
                  HEARTH_RETURN_IF_ERROR(visit_dataset(*dataset, selector, range, visitor));
                  cost->datasets += 1;
                  return {};
                });
  });
}

Result<std::vector<ProfileType>> Engine::profile_types(const Tenant& tenant, TimeRange range,
                                                       const CancelToken& token) {
  std::set<std::pair<std::string, ProfileType>> types;  // By id, as clients compare.
  Cost cost;
  HEARTH_RETURN_IF_ERROR(for_each_series(*impl_, tenant, {}, range, token, &cost,
                                         {[&] { types.clear(); },
                                          [&](const SeenSeries& seen) {
                                            types.emplace(seen.series.type().id(),
                                                          seen.series.type());
                                          }}));
  std::vector<ProfileType> result;
  for (const auto& [id, type] : types) result.push_back(type);
  return result;
}

Result<std::vector<std::string>> Engine::label_names(const Tenant& tenant, const Selector& selector,
                                                     TimeRange range, const CancelToken& token) {
  std::set<std::string> names;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(for_each_series(*impl_, tenant, selector, range, token, &cost,
                                         {[&] { names.clear(); },
                                          [&](const SeenSeries& seen) {
                                            const LabelSet all = seen.series.labels();
                                            for (const Label& l : all.labels())
                                              names.insert(l.name);
                                          }}));
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
  HEARTH_RETURN_IF_ERROR(for_each_series(*impl_, tenant, selector, range, token, &cost,
                                         {[&] { values.clear(); },
                                          [&](const SeenSeries& seen) {
                                            const std::string_view value = seen.series.get(name);
                                            if (!value.empty() &&
                                                values.find(value) == values.end())
                                              values.emplace(value);
                                          }}));
  return std::vector<std::string>(values.begin(), values.end());
}

Result<std::vector<LabelSet>> Engine::series(const Tenant& tenant, const Selector& selector,
                                             const std::vector<std::string>& names, TimeRange range,
                                             const CancelToken& token) {
  std::set<LabelSet> sets;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(for_each_series(*impl_, tenant, selector, range, token, &cost,
                                         {[&] { sets.clear(); },
                                          [&](const SeenSeries& seen) {
                                            LabelSet kept;
                                            for (const std::string& n : names)
                                              kept.set(n, seen.series.get(n));
                                            if (names.empty()) kept = seen.series.labels();
                                            if (!kept.empty()) sets.insert(std::move(kept));
                                          }}));
  return std::vector<LabelSet>(sets.begin(), sets.end());
}

Result<std::optional<TimeRange>> Engine::extent(const Tenant& tenant, const CancelToken& token) {
  std::optional<TimeRange> extent;
  Cost cost;
  HEARTH_RETURN_IF_ERROR(scan(
      *impl_->options.store, tenant, {}, {}, token, &cost,
      [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
        const storage::DatasetInfo& info = dataset->info();
        if (info.profiles == 0) return {};
        if (!extent) extent = TimeRange{info.t_min_ns, info.t_max_ns};
        extent->start_ns = std::min(extent->start_ns, info.t_min_ns);
        extent->end_ns = std::max(extent->end_ns, info.t_max_ns);
        return {};
      },
      std::nullopt));
  return extent;
}

}  // namespace hearth::query
