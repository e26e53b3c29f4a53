#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hearth/labels.h"
#include "hearth/profile_type.h"
#include "hearth/tenant.h"

/// What an embedding program asks a database for (hearth/database.h), and what it gets. Plain
/// values: they own what they show, and may be copied, kept and moved between threads.
namespace hearth {

/// Start times of profiles, both ends inclusive, nanoseconds UTC.
struct TimeRange {
  int64_t start_ns = INT64_MIN;
  int64_t end_ns = INT64_MAX;
};

struct Query {
  ProfileType type;  ///< ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds").
  std::string selector = "{}";  ///< Prometheus form: {service_name="api", region=~"eu|us"}.
  TimeRange range = {};
  /// Only stacks that begin, from the root, with functions of these names; empty: all.
  std::vector<std::string> call_site = {};
  Tenant tenant = Tenant::anonymous();
  int64_t timeout_ns = 0;  ///< `deadline_exceeded` after this long; 0: never.
};

/// What every answer says about itself.
struct Coverage {
  uint64_t profiles = 0;             ///< Merged.
  std::vector<std::string> partial;  ///< Reasons why something is missing; empty = complete.
};

/// A merged call tree as columns, one node per path of function names.
///
/// Shape:  the columns have equal lengths. Node 0 is the nameless root. Nodes stand in preorder,
///         children by name, so parent[i] < i and the subtree of i is the run behind it of deeper
///         nodes. name[i] indexes `names`, names[0] = "". Without data there is the root only.
/// Units:  total and self in the unit of the profile type, saturating; total[i] = self[i] + the
///         totals of its children.
struct FlameGraph {
  std::vector<uint32_t> parent, depth, name;
  std::vector<int64_t> self, total;
  std::vector<std::string> names;
  Coverage coverage;
  [[nodiscard]] size_t size() const { return parent.size(); }
  [[nodiscard]] const std::string& name_of(size_t node) const { return names[name[node]]; }
};

/// One function over a whole tree. Recursion counts once per path, as pprof's cumulative value.
struct FunctionValue {
  std::string name;
  int64_t self = 0;
  int64_t total = 0;
};
struct FunctionTable {
  std::vector<FunctionValue> functions;  ///< By self descending, ties by name.
  int64_t total = 0;                     ///< Of all stacks.
  Coverage coverage;
};

struct SeriesQuery {
  Query query;
  int64_t step_ms = 15'000;                ///< Distance of points, at least 1.
  std::vector<std::string> group_by = {};  ///< Label names; empty: one series of everything.
};
struct SeriesPoint {
  int64_t time_ms = 0;  ///< UTC; the sum of what began in the step that ends here.
  double value = 0;
};
struct Series {
  LabelSet labels;                  ///< Those of `group_by`.
  std::vector<SeriesPoint> points;  ///< Ascending; steps without data have none.
};
struct SeriesAnswer {
  std::vector<Series> series;
  Coverage coverage;
};

}  // namespace hearth
