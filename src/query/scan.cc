#include "query/scan.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth::query {
namespace {

std::optional<std::string> exact_service(const Selector& selector) {
  auto service = selector.exact(label::kServiceName);
  return service ? service : selector.exact(label::kServiceNamePrivate);
}

}  // namespace

std::optional<size_t> type_index(const storage::DatasetInfo& info, const ProfileType& type) {
  if (info.family.period != type.period) return std::nullopt;
  const auto& types = info.family.types;
  const auto it = std::find(types.begin(), types.end(), type.sample);
  if (it == types.end()) return std::nullopt;
  return static_cast<size_t>(it - types.begin());
}

Result<std::vector<uint8_t>> accepted_series(const storage::Dataset& dataset,
                                             const ProfileType& type, const Selector& selector,
                                             size_t type_at) {
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  const Family& family = dataset.info().family;
  std::vector<uint8_t> accepted(series->size(), 0);
  for (size_t s = 0; s < series->size(); ++s) {
    const VirtualSeries candidate((*series)[s], family.types[type_at], family.period);
    accepted[s] = candidate.type().name == type.name && candidate.matches(selector);
  }
  return accepted;
}

Result<Selection> select_profiles(const storage::Dataset& dataset, const ProfileQuery& query) {
  Selection selection;
  const auto type = type_index(dataset.info(), query.type);
  if (!type) return selection;
  selection.type = *type;
  HEARTH_ASSIGN_OR_RETURN(const auto accepted,
                          accepted_series(dataset, query.type, query.selector, *type));
  if (std::find(accepted.begin(), accepted.end(), 1) == accepted.end()) return selection;
  HEARTH_ASSIGN_OR_RETURN(selection.columns, dataset.profiles());
  const auto& columns = selection.columns;
  const auto& totals = columns->totals[*type];
  for (size_t p = 0; p < columns->size(); ++p) {
    const int64_t start = columns->start_ns[p];
    if (accepted[columns->series[p]] && totals[p] != 0 && start >= query.range.start_ns &&
        start <= query.range.end_ns) {
      selection.profiles.push_back(static_cast<uint32_t>(p));
    }
  }
  return selection;
}

bool may_match(const storage::Dataset& dataset, const Selector& selector) {
  return std::all_of(
      selector.matchers().begin(), selector.matchers().end(), [&dataset](const Matcher& m) {
        return m.op() != Matcher::Op::equal || m.value().empty() || is_derived_label(m.name()) ||
               dataset.may_have_label(m.name(), m.value());
      });
}

Status scan(storage::Store& store, const Tenant& tenant, const Selector& selector, TimeRange range,
            const CancelToken& token, Cost* cost,
            const std::function<Status(const std::shared_ptr<const storage::Dataset>&)>& visit) {
  HEARTH_RETURN_IF_ERROR(token.check());
  HEARTH_ASSIGN_OR_RETURN(
      auto view, store.view(tenant, {range.start_ns, range.end_ns, exact_service(selector)}));
  cost->partial.insert(cost->partial.end(), view.partial.begin(), view.partial.end());
  for (const auto& dataset : view.datasets) {
    HEARTH_RETURN_IF_ERROR(token.check());
    if (!may_match(*dataset, selector)) continue;
    const Status visited = visit(dataset);
    if (visited) continue;
    // Damaged, or in a bucket that does not answer now: the rest is still true.
    const bool missing =
        visited.error().code == ErrorCode::data_loss || visited.error().reason == kBucketAway;
    if (!missing) return visited;
    cost->partial.push_back(fmt::format("part of service '{}' could not be read: {}",
                                        dataset->info().service, visited.error().message));
  }
  return {};
}

}  // namespace hearth::query
