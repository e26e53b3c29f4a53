#include "query/scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <numeric>

#include "base/parallel.h"

namespace hearth::query {
namespace {

std::optional<std::string> exact_service(const Selector& selector) {
  auto service = selector.exact(label::kServiceName);
  return service ? service : selector.exact(label::kServiceNamePrivate);
}

std::string unreadable(const storage::Dataset& dataset, const Error& error) {
  return fmt::format("part of service '{}' could not be read: {}", dataset.info().service,
                     error.message);
}

// Damaged, or in a bucket that does not answer now: the rest is still true.
bool leaves_a_part_out(const Error& error) {
  return error.code == ErrorCode::data_loss || error.reason == kBucketAway;
}

// The datasets of one view that may match.
Result<std::vector<std::shared_ptr<const storage::Dataset>>> candidates(
    storage::Store& store, const Tenant& tenant, const Selector& selector, TimeRange range,
    const CancelToken& token, Cost* cost) {
  HEARTH_RETURN_IF_ERROR(token.check());
  HEARTH_ASSIGN_OR_RETURN(
      auto view, store.view(tenant, {range.start_ns, range.end_ns, exact_service(selector)}));
  cost->partial.insert(cost->partial.end(), view.partial.begin(), view.partial.end());
  std::erase_if(view.datasets, [&](const auto& dataset) { return !may_match(*dataset, selector); });
  return std::move(view.datasets);
}

storage::Dataset::Part needed_part(const storage::DatasetInfo& info, const ProfileQuery& query,
                                   bool rollup) {
  using Part = storage::Dataset::Part;
  const TimeRange range = query.range;
  if (!query.side.empty()) return Part::side;
  if (info.t_min_ns < range.start_ns || info.t_max_ns > range.end_ns) return Part::rows_of_a_range;
  return rollup ? Part::rollup : Part::rows;
}

// What became of the datasets that several threads visit.
class Outcomes {
 public:
  explicit Outcomes(size_t datasets) : damage_(datasets) {}

  /// True when the rest need not be visited.
  [[nodiscard]] bool failed() const { return failed_.load(std::memory_order_relaxed); }
  void note(size_t dataset, Error error) {
    const std::lock_guard lock(mutex_);
    if (leaves_a_part_out(error)) {
      damage_[dataset] = std::move(error);
    } else if (error.reason == kObjectGone) {
      gone_ = std::move(error);
    } else if (!failed_.exchange(true)) {
      failure_ = std::move(error);
    }
  }
  Status finish(const std::vector<std::shared_ptr<const storage::Dataset>>& datasets, Cost* cost) {
    if (failed_) return tl::unexpected(std::move(failure_));
    if (gone_) return tl::unexpected(*std::move(gone_));
    for (size_t i = 0; i < datasets.size(); ++i) {
      if (damage_[i]) cost->partial.push_back(unreadable(*datasets[i], *damage_[i]));
    }
    return {};
  }

 private:
  std::mutex mutex_;
  std::vector<std::optional<Error>> damage_;
  std::optional<Error> gone_;
  Error failure_;
  std::atomic<bool> failed_ = false;
};

// Datasets of one segment that one rollup can stand for.
struct Covered {
  const storage::RollupSource* rollup = nullptr;
  std::vector<std::shared_ptr<const storage::Dataset>> datasets;
};

// Whether a dataset's series are all in or all out, so that their sums can serve. Only those labels
// are named that all series of a dataset share.
bool is_about_whole_services(const Selector& selector) {
  return std::ranges::all_of(selector.matchers(), [](const Matcher& m) {
    return m.name() == label::kName || m.name() == label::kServiceName ||
           is_derived_label(m.name());
  });
}

// Takes those out of `datasets` that the query is about whole and together: where one is missing or
// shows less than it holds, the rollup would say too much.
std::vector<Covered> take_covered(std::vector<std::shared_ptr<const storage::Dataset>>& datasets,
                                  TimeRange range) {
  std::map<const storage::RollupSource*, size_t> found;
  for (const auto& dataset : datasets) {
    if (dataset->cover().rollup != nullptr) ++found[dataset->cover().rollup];
  }
  std::erase_if(found, [&](const auto& entry) {
    const storage::DatasetInfo& all = entry.first->info();
    return all.t_min_ns < range.start_ns || all.t_max_ns > range.end_ns;
  });
  std::map<const storage::RollupSource*, Covered> taken;
  std::erase_if(datasets, [&](const auto& dataset) {
    const storage::Cover cover = dataset->cover();
    const auto at = found.find(cover.rollup);
    if (at == found.end() || at->second != cover.datasets) return false;
    Covered& of = taken[cover.rollup];
    of.rollup = cover.rollup;
    of.datasets.push_back(dataset);
    return true;
  });
  std::vector<Covered> out;
  for (auto& [rollup, covered] : taken) out.push_back(std::move(covered));
  return out;
}

// Lets rollups stand for the datasets they cover; the datasets of the others go back to `datasets`.
Status serve_covered(const std::vector<Covered>& covered, const ScanPlan& plan,
                     const CancelToken& token, std::vector<Cost>& costs,
                     std::vector<std::shared_ptr<const storage::Dataset>>& datasets) {
  std::vector<Result<bool>> served(covered.size(), false);
  parallel_for(plan.helpers.executor, plan.helpers.count, covered.size(),
               [&](size_t worker, size_t i) {
                 if (const Status go_on = token.check(); !go_on) {
                   served[i] = tl::unexpected(go_on.error());
                   return;
                 }
                 served[i] = plan.visit_cover(worker, *covered[i].rollup, &costs[worker]);
               });
  for (size_t i = 0; i < covered.size(); ++i) {
    // The datasets themselves may still be whole, or say themselves that they are gone.
    if (!served[i] && !leaves_a_part_out(served[i].error()) &&
        served[i].error().reason != kObjectGone) {
      return tl::unexpected(served[i].error());
    }
    if (!served[i].value_or(false))
      datasets.insert(datasets.end(), covered[i].datasets.begin(), covered[i].datasets.end());
  }
  return {};
}

void prefetch(const storage::Dataset& dataset, const ProfileQuery& query, const ScanPlan& plan) {
  dataset.prefetch(needed_part(dataset.info(), query, plan.rollups && dataset.has_rollup()));
}

void add_cost(const Cost& from, Cost* to) {
  to->profiles += from.profiles;
  to->datasets += from.datasets;
  to->scanned_bytes += from.scanned_bytes;
}

}  // namespace

std::optional<size_t> type_index(const storage::DatasetInfo& info, const ProfileType& type) {
  if (info.family.period != type.period) return std::nullopt;
  const auto& types = info.family.types;
  const auto it = std::find(types.begin(), types.end(), type.sample);
  if (it == types.end()) return std::nullopt;
  return static_cast<size_t>(it - types.begin());
}

Result<std::vector<uint8_t>> accepted_series(const storage::RollupSource& dataset,
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

Result<Selection> select_profiles(const storage::Dataset& dataset, const ProfileQuery& query,
                                  SymbolCache* cache) {
  Selection selection;
  const auto type = type_index(dataset.info(), query.type);
  if (!type) return selection;
  selection.type = *type;
  HEARTH_ASSIGN_OR_RETURN(const auto accepted,
                          accepted_series(dataset, query.type, query.selector, *type));
  if (std::find(accepted.begin(), accepted.end(), 1) == accepted.end()) return selection;
  HEARTH_ASSIGN_OR_RETURN(selection.columns,
                          cache != nullptr ? cache->profiles(dataset) : dataset.profiles());
  const auto& columns = selection.columns;
  const auto& totals = columns->totals[*type];
  // Written always, kept when selected: what is selected is hard to foresee.
  selection.profiles.resize(columns->size());
  size_t selected = 0;
  for (size_t p = 0; p < columns->size(); ++p) {
    const int64_t start = columns->start_ns[p];
    selection.profiles[selected] = static_cast<uint32_t>(p);
    selected +=
        static_cast<size_t>((accepted[columns->series[p]] != 0) & (totals[p] != 0) &
                            (start >= query.range.start_ns) & (start <= query.range.end_ns));
  }
  selection.profiles.resize(selected);
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
            const std::function<Status(const std::shared_ptr<const storage::Dataset>&)>& visit,
            std::optional<storage::Dataset::Part> needs) {
  HEARTH_ASSIGN_OR_RETURN(const auto datasets,
                          candidates(store, tenant, selector, range, token, cost));
  for (const auto& dataset : datasets) {
    if (needs) dataset->prefetch(*needs);
  }
  Status gone;
  for (const auto& dataset : datasets) {
    HEARTH_RETURN_IF_ERROR(token.check());
    const Status visited = visit(dataset);
    if (visited) continue;
    if (leaves_a_part_out(visited.error())) {
      cost->partial.push_back(unreadable(*dataset, visited.error()));
    } else if (visited.error().reason == kObjectGone) {
      gone = visited;
    } else {
      return visited;
    }
  }
  return gone;
}

Status scan_in_parallel(storage::Store& store, const ProfileQuery& query, const ScanPlan& plan,
                        const CancelToken& token, Cost* cost, const VisitInParallel& visit) {
  HEARTH_ASSIGN_OR_RETURN(
      auto datasets, candidates(store, query.tenant, query.selector, query.range, token, cost));
  if (!query.side.empty())
    std::erase_if(datasets, [](const auto& dataset) { return !dataset->has_side(); });
  // Other families of the service need not be fetched.
  std::erase_if(datasets,
                [&](const auto& dataset) { return !type_index(dataset->info(), query.type); });
  std::vector<Covered> covered;
  if (plan.visit_cover && is_about_whole_services(query.selector))
    covered = take_covered(datasets, query.range);
  for (const Covered& of : covered) of.rollup->prefetch_rollup();
  for (const auto& dataset : datasets) prefetch(*dataset, query, plan);
  const size_t fetched = datasets.size();
  std::vector<Cost> costs(plan.helpers.count + 1);
  HEARTH_RETURN_IF_ERROR(serve_covered(covered, plan, token, costs, datasets));
  for (size_t i = fetched; i < datasets.size(); ++i) prefetch(*datasets[i], query, plan);
  uint64_t rows = 0;
  for (const auto& dataset : datasets) rows += dataset->info().rows;
  // The largest first, so that no thread is left alone with it.
  std::vector<uint32_t> order(datasets.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, std::greater<>(),
                           [&](uint32_t i) { return datasets[i]->info().rows; });
  Outcomes outcomes(datasets.size());
  parallel_for(plan.helpers.executor, plan.helpers.count, order.size(),
               [&](size_t worker, size_t i) {
                 if (outcomes.failed()) return;
                 const auto& dataset = datasets[order[i]];
                 const bool large = dataset->info().rows > rows / 2;
                 Status visited = token.check();
                 if (visited) visited = visit(worker, dataset, large, &costs[worker]);
                 if (!visited) outcomes.note(order[i], std::move(visited).error());
               });
  for (const Cost& of_worker : costs) add_cost(of_worker, cost);
  return outcomes.finish(datasets, cost);
}

}  // namespace hearth::query
