#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "query/engine.h"

namespace hearth::query {

// What the page asks about many services, labels and times (docs/ui_api.md part 2). Plain values;
// the trees and tables are in page_tree.h and function_search.h. Values are sums in the unit of the
// sample type; a nullopt is "no profile there", never zero.

/// The range of whole buckets [start + i·step, start + (i+1)·step) in milliseconds that covers the
/// query.
struct PageSeries {
  struct Group {
    std::string value;  ///< Of the label; "" for series without it.
    int64_t sum = 0;
    std::vector<std::optional<int64_t>> points;
  };
  int64_t start_ms = 0;  ///< A multiple of the step.
  int64_t step_ms = 0;
  std::vector<std::optional<int64_t>> total;
  std::vector<Group> groups;  ///< By sum, descending.
  uint64_t other_groups = 0;  ///< How many are in `other`; 0 = there is none.
  Group other;
  int64_t sum = 0;
  Cost cost;
};
struct PageSeriesQuery {
  ProfileQuery profile;  ///< Its range must be finite.
  int64_t step_ms = 15'000;
  std::string group_by;  ///< Empty: no groups.
  uint64_t groups = 7;
};
inline constexpr int64_t kMaxBuckets = 5'000;
/// `invalid_argument` for a step under a second or more than kMaxBuckets buckets.
[[nodiscard]] Result<PageSeries> page_series(Engine& engine, const PageSeriesQuery& query,
                                             const CancelToken& token);

/// A label name and how many values it has among the matching series.
struct LabelCount {
  std::string name;
  uint64_t values = 0;
};
struct LabelCounts {
  std::vector<LabelCount>
      labels;  ///< More than one value first, then by name; without names that start with "__".
  Cost cost;
};
[[nodiscard]] Result<LabelCounts> label_counts(Engine& engine, const Tenant& tenant,
                                               const Selector& selector, TimeRange range,
                                               const CancelToken& token);

/// The values of one label with what they add up to.
struct LabelShare {
  std::string value;
  int64_t total = 0;
};
struct LabelShares {
  std::vector<LabelShare>
      values;  ///< By total descending, then by value; series without the label are left out.
  int64_t sum = 0;
  Cost cost;
};
[[nodiscard]] Result<LabelShares> label_shares(Engine& engine, const ProfileQuery& query,
                                               const std::string& name, const CancelToken& token);

struct ServicesQuery {
  Tenant tenant = Tenant::anonymous();
  Selector selector;
  TimeRange range;                  ///< Finite when `detail`.
  std::optional<ProfileType> type;  ///< Default: the first CPU type there is, else the first type.
  bool detail = false;              ///< Values, sparklines and top functions, too.
  uint64_t buckets = 30;            ///< Of a sparkline, 1–200.
  uint64_t top = 3;                 ///< Functions by self, for the 20 largest services.
};
struct ServiceRow {
  struct Function {
    std::string name;
    int64_t self = 0;
  };
  std::string name;
  std::vector<std::string> types;  ///< Profile type ids, sorted.
  uint64_t series = 0;             ///< Stored label sets, over all types.
  int64_t last_seen_ns = 0;        ///< Start of its newest profile in the range.
  // With `detail`, of the chosen type:
  std::optional<int64_t> total;
  std::optional<int64_t> previous;  ///< In the equally long range right before.
  uint64_t profiles = 0;
  std::vector<std::optional<int64_t>>
      spark;  ///< Equal parts of the range, oldest first; empty without profiles of the type.
  std::vector<Function> top;
};
struct Services {
  std::optional<ProfileType> type;
  std::vector<std::string> types;  ///< All in the range, sorted.
  std::vector<ServiceRow> rows;    ///< By name.
  bool empty = true;               ///< The tenant holds no profile at all, at any time.
  Cost cost;
};
[[nodiscard]] Result<Services> services(Engine& engine, const ServicesQuery& query,
                                        const CancelToken& token);

}  // namespace hearth::query
