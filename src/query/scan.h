#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/result.h"
#include "query/engine.h"
#include "query/symbol_cache.h"
#include "query/virtual_series.h"
#include "storage/store.h"

namespace hearth::query {

/// The profiles of one dataset that a query is about.
struct Selection {
  size_t type = 0;                 ///< Sample type: index into the family.
  std::vector<uint32_t> profiles;  ///< Ascending.
  /// What they were chosen by; kept so that adding their rows finds the dataset's index decoded.
  std::shared_ptr<const storage::ProfileColumns> columns;
};

/// Index of the sample type in the family of `info` when the profile type's sample and period types
/// are the family's.
std::optional<size_t> type_index(const storage::DatasetInfo& info, const ProfileType& type);

/// accepted[s] = 1 when series s of the dataset, seen as a virtual series of sample type `type`,
/// has the profile type `name` and satisfies the selector.
[[nodiscard]] Result<std::vector<uint8_t>> accepted_series(const storage::RollupSource& dataset,
                                                           const ProfileType& type,
                                                           const Selector& selector,
                                                           size_t type_at);

/// The profiles with a total of the type, accepted series and start in the range; an empty list
/// when there are none. `cache`: keeps the columns, for queries that need nothing else; nullptr:
/// no.
[[nodiscard]] Result<Selection> select_profiles(const storage::Dataset& dataset,
                                                const ProfileQuery& query,
                                                SymbolCache* cache = nullptr);

/// False when the dataset's catalog entry shows that no series of it can satisfy the selector.
bool may_match(const storage::Dataset& dataset, const Selector& selector);

/// Runs a query anew, with a view of its own each time, while a segment that it reads turns out to
/// be gone: another process has merged it, so that the next view has its profiles in another one.
/// `run()` gives a Result or a Status and begins from nothing.
template <class Run>
auto with_fresh_views(Run&& run) -> decltype(run()) {
  constexpr int kViewsMax = 10;
  for (int views = 1;; ++views) {
    auto result = run();
    if (result || result.error().reason != kObjectGone) return result;
    if (views == kViewsMax)
      return fail(ErrorCode::unavailable, "query: segments are replaced too fast");
  }
}

/// Takes one view of the store and calls `visit` for each dataset that may match, checking the
/// token before each. A dataset that answers `data_loss` becomes a reason in cost->partial; any
/// other error ends the scan. That of a segment that is gone does so last (see with_fresh_views()):
/// all that are gone are found by one scan, so that the next view knows them.
/// `needs`: what of the datasets will be read.
[[nodiscard]] Status scan(
    storage::Store& store, const Tenant& tenant, const Selector& selector, TimeRange range,
    const CancelToken& token, Cost* cost,
    const std::function<Status(const std::shared_ptr<const storage::Dataset>&)>& visit,
    std::optional<storage::Dataset::Part> needs = storage::Dataset::Part::profiles);

/// The same on several threads for what merges profiles. `worker` numbers them from 0 and is at
/// most `helpers`; each has its own cost. `large`: the dataset holds more than half of the rows of
/// all, so that it pays to split it. Reasons of partial answers stand in the order of the view.
using VisitInParallel = std::function<Status(
    size_t worker, const std::shared_ptr<const storage::Dataset>& dataset, bool large, Cost* cost)>;
struct Helpers {
  Executor* executor = nullptr;
  size_t count = 0;  ///< Threads beside the calling one.
};
/// Answers from the rollup of several datasets instead of from them; false when that cannot be.
using VisitCover =
    std::function<Result<bool>(size_t worker, const storage::RollupSource& rollup, Cost* cost)>;
struct ScanPlan {
  Helpers helpers;
  bool rollups = false;  ///< Rollups serve, where a dataset has one and all of it is asked for.
  VisitCover visit_cover = nullptr;  ///< Where they do.
};
[[nodiscard]] Status scan_in_parallel(storage::Store& store, const ProfileQuery& query,
                                      const ScanPlan& plan, const CancelToken& token, Cost* cost,
                                      const VisitInParallel& visit);

}  // namespace hearth::query
