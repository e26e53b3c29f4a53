#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/memory_accountant.h"
#include "query/engine_impl.h"

namespace hearth::query {

/// Totals of profiles per group of series and time bucket: time series, sparklines, shares of label
/// values. Reads profile columns only, never rows.
class GroupSums {
 public:
  struct Point {
    int64_t bucket = 0;
    int64_t sum = 0;
  };
  struct Group {
    std::vector<std::string> values;  ///< Of the labels of `group_by`, in that order; "" = absent.
    std::vector<Point> points;        ///< Ascending, buckets unique.
    int64_t total = 0;
    uint64_t profiles = 0;
  };
  /// Bucket of a profile that starts at `ms` (nanoseconds floored), and until when that is so.
  /// kNoBucket leaves it out.
  struct Bucket {
    int64_t number = 0;
    int64_t last_ms = INT64_MAX;
  };
  using BucketOf = std::function<Bucket(int64_t ms)>;
  static constexpr int64_t kNoBucket = INT64_MIN;

  GroupSums(Engine::Impl& impl, std::vector<std::string> group_by, BucketOf bucket_of);
  /// Adds every profile of the query (its call site does not count here).
  [[nodiscard]] Status add(const ProfileQuery& query, const CancelToken& token, Cost* cost);
  /// Groups with at least one point, by total descending, ties by labels in the order of
  /// `group_by`. Ends the object's use.
  [[nodiscard]] std::vector<Group> finish();

 private:
  Status add_view(const ProfileQuery& query, const CancelToken& token, Cost* cost);
  Status add_dataset(const storage::Dataset& dataset, const ProfileQuery& query, Cost* cost);
  Group& group_of(const VirtualSeries& series);

  Engine::Impl* impl_;
  std::vector<std::string> group_by_;
  BucketOf bucket_of_;
  std::map<std::vector<std::string>, Group> groups_;
  MemoryCharge charge_;
};

/// Milliseconds of a time in nanoseconds, rounded down.
int64_t floor_ms(int64_t ns);
/// Nanoseconds of a time in milliseconds, held at the ends of int64.
int64_t saturated_ns(int64_t ms);

}  // namespace hearth::query
