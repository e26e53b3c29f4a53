#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cancel.h"
#include "base/executor.h"
#include "base/result.h"
#include "formats/stack_tree.h"
#include "hearth/labels.h"
#include "hearth/profile.h"
#include "hearth/profile_type.h"
#include "hearth/tenant.h"
#include "model/selector.h"
#include "query/function_tree.h"
#include "query/place.h"
#include "storage/side_data.h"
#include "storage/store.h"

namespace hearth::query {

/// What every answer says about itself.
struct Cost {
  uint64_t profiles = 0;
  uint64_t datasets = 0;
  uint64_t scanned_bytes = 0;
  std::vector<std::string> partial;  ///< Reasons; empty = complete.
};

/// Both ends inclusive, as Pyroscope's, in nanoseconds UTC.
struct TimeRange {
  int64_t start_ns = INT64_MIN;
  int64_t end_ns = INT64_MAX;
};

struct ProfileQuery {
  Tenant tenant = Tenant::anonymous();
  ProfileType type;
  Selector selector;  ///< Without the profile type matcher.
  TimeRange range;
  std::vector<std::string>
      call_site;  ///< Keep stacks whose root-side frames are these names, in order; empty = all.
  storage::SideSelector side;  ///< Only what belongs to these spans or traces; empty = all.
};

struct Point {
  int64_t time_ms = 0;
  double value = 0;
};
struct TimeSeries {
  LabelSet labels;  ///< In the order asked for by the caller when printed; unique here.
  std::vector<Point> points;
};
struct SeriesQuery {
  ProfileQuery profile;
  int64_t step_ms = 15'000;
  std::vector<std::string> group_by;
  uint64_t limit = 0;  ///< 0 = all; else the largest by total.
};

/// Pure functions over a Store's view; no HTTP, no JSON. Every call takes a cancel token and stays
/// inside the memory accountant. docs/queries.md says how.
class Engine {
 public:
  struct Options {
    storage::Store* store = nullptr;
    MemoryAccountant* memory = nullptr;
    size_t symbol_cache_bytes = 64u << 20;
    size_t merge_cache_bytes = 32u << 20;
  };
  explicit Engine(Options options);
  ~Engine();
  /// From now on merges also use up to `threads` further threads of the executor, which outlives
  /// the queries. Not while one runs.
  void use_helpers(Executor& executor, size_t threads);

  [[nodiscard]] Result<std::vector<ProfileType>> profile_types(const Tenant&, TimeRange,
                                                               const CancelToken&);
  /// Union over matching series of label names / values; each list in `selectors` is ANDed (one
  /// selector = merged list).
  [[nodiscard]] Result<std::vector<std::string>> label_names(const Tenant&, const Selector&,
                                                             TimeRange, const CancelToken&);
  [[nodiscard]] Result<std::vector<std::string>> label_values(const Tenant&, const Selector&,
                                                              const std::string& name, TimeRange,
                                                              const CancelToken&);
  /// Label sets reduced to `names` (empty = all), unique, sorted; empty sets left out.
  [[nodiscard]] Result<std::vector<LabelSet>> series(const Tenant&, const Selector&,
                                                     const std::vector<std::string>& names,
                                                     TimeRange, const CancelToken&);

  /// Exact merged tree at function granularity; the caller cuts once (FunctionTree::cut).
  struct TreeResult {
    FunctionTree tree;
    Cost cost;
  };
  [[nodiscard]] Result<TreeResult> merge_tree(const ProfileQuery&, const CancelToken&);

  /// The same with the place of each function: places[i] belongs to tree.names[i]. For the page.
  struct PlacedTreeResult {
    FunctionTree tree;
    std::vector<Place> places;
    Cost cost;
  };
  [[nodiscard]] Result<PlacedTreeResult> merge_placed_tree(const ProfileQuery&, const CancelToken&);
  /// The same, kept for a while: who asks again before the data changes gets the same result.
  [[nodiscard]] Result<std::shared_ptr<const PlacedTreeResult>> shared_placed_tree(
      const ProfileQuery&, const CancelToken&);

  /// Merge by stacks of locations (SelectMergeProfile). The batch owns its strings.
  struct MergedProfile {
    ProfileBatch batch;  ///< One sample type, no samples; no sample types when nothing matches.
    formats::StackTree stacks;
    Cost cost;
  };
  [[nodiscard]] Result<MergedProfile> merge_profile(const ProfileQuery&, const CancelToken&);

  struct SeriesResult {
    std::vector<TimeSeries> series;
    Cost cost;
  };
  [[nodiscard]] Result<SeriesResult> select_series(const SeriesQuery&, const CancelToken&);

  /// Oldest and newest profile start of the tenant, nanoseconds; nullopt without data.
  [[nodiscard]] Result<std::optional<TimeRange>> extent(const Tenant&, const CancelToken&);

  struct Impl;
  /// For the other queries of this folder.
  [[nodiscard]] Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::query
