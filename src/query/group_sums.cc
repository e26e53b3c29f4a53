#include "query/group_sums.h"

#include <algorithm>

#include "base/saturate.h"
#include "query/scan.h"

namespace hearth::query {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;

// The same where buckets are no more than points: by a column of all of them.
void merge_dense(std::vector<GroupSums::Point>& points, int64_t first, size_t buckets) {
  std::vector<int64_t> sums(buckets, 0);
  std::vector<uint8_t> there(buckets, 0);
  for (const GroupSums::Point& point : points) {
    const auto at = static_cast<size_t>(point.bucket - first);
    sums[at] = add_saturating(sums[at], point.sum);
    there[at] = 1;
  }
  points.clear();
  for (size_t i = 0; i < buckets; ++i) {
    if (there[i]) points.push_back({first + static_cast<int64_t>(i), sums[i]});
  }
}

// Sorts by bucket and adds up equal ones.
void merge_equal(std::vector<GroupSums::Point>& points) {
  if (points.empty()) return;
  const auto [first, last] = std::ranges::minmax(points, {}, &GroupSums::Point::bucket);
  const auto buckets = static_cast<uint64_t>(last.bucket) - static_cast<uint64_t>(first.bucket);
  if (buckets < points.size()) return merge_dense(points, first.bucket, buckets + 1);
  const auto less = [](const GroupSums::Point& a, const GroupSums::Point& b) {
    return a.bucket < b.bucket;
  };
  if (!std::is_sorted(points.begin(), points.end(), less))
    std::sort(points.begin(), points.end(), less);
  size_t kept = 0;
  for (size_t i = 0; i < points.size(); ++i) {
    if (kept > 0 && points[kept - 1].bucket == points[i].bucket) {
      points[kept - 1].sum = add_saturating(points[kept - 1].sum, points[i].sum);
    } else {
      points[kept++] = points[i];
    }
  }
  points.resize(kept);
}

// Labels as clients see them: absent ones are not there, so they do not take part in the
// comparison.
using Pairs = std::vector<std::pair<std::string_view, std::string_view>>;
Pairs present(const std::vector<std::string>& names, const std::vector<std::string>& values) {
  Pairs pairs;
  for (size_t i = 0; i < names.size(); ++i) {
    if (!values[i].empty()) pairs.emplace_back(names[i], values[i]);
  }
  return pairs;
}

// The last nanosecond of a millisecond.
int64_t last_of_ms(int64_t ms) {
  return add_saturating(multiply_saturating(ms, kNsPerMs), kNsPerMs - 1);
}

}  // namespace

int64_t floor_ms(int64_t ns) {
  return ns / kNsPerMs - (ns % kNsPerMs < 0 ? 1 : 0);
}

int64_t saturated_ns(int64_t ms) {
  return multiply_saturating(ms, kNsPerMs);
}

GroupSums::GroupSums(Engine::Impl& impl, std::vector<std::string> group_by, BucketOf bucket_of)
    : impl_(&impl), group_by_(std::move(group_by)), bucket_of_(std::move(bucket_of)) {}

GroupSums::Group& GroupSums::group_of(const VirtualSeries& series) {
  std::vector<std::string> values;
  values.reserve(group_by_.size());
  for (const std::string& name : group_by_) values.emplace_back(series.get(name));
  Group& group = groups_[values];
  if (group.values.empty()) group.values = std::move(values);
  return group;
}

Status GroupSums::add_dataset(const storage::Dataset& dataset, const ProfileQuery& query,
                              Cost* cost) {
  HEARTH_ASSIGN_OR_RETURN(const Selection selection,
                          select_profiles(dataset, query, &impl_->symbols));
  if (selection.profiles.empty()) return {};
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  const auto& columns = selection.columns;
  const Family& family = dataset.info().family;
  std::vector<Group*> group_of_series(series->size(), nullptr);
  // Profiles of a series follow each other in time, so most lie in the bucket of the one before.
  int64_t bucket = kNoBucket;
  int64_t first_ns = INT64_MAX;
  int64_t last_ns = INT64_MIN;
  for (const uint32_t p : selection.profiles) {
    const int64_t start_ns = columns->start_ns[p];
    if (start_ns < first_ns || start_ns > last_ns) {
      const Bucket found = bucket_of_(floor_ms(start_ns));
      bucket = found.number;
      first_ns = start_ns;
      last_ns = last_of_ms(found.last_ms);
    }
    if (bucket == kNoBucket) continue;
    Group*& group = group_of_series[columns->series[p]];
    if (group == nullptr) {
      group = &group_of(VirtualSeries((*series)[columns->series[p]], family.types[selection.type],
                                      family.period));
    }
    const int64_t total = columns->totals[selection.type][p];
    group->total = add_saturating(group->total, total);
    ++group->profiles;
    if (!group->points.empty() && group->points.back().bucket == bucket) {
      group->points.back().sum = add_saturating(group->points.back().sum, total);
    } else {
      group->points.push_back({bucket, total});
    }
  }
  cost->profiles += selection.profiles.size();
  cost->datasets += 1;
  return {};
}

Status GroupSums::add(const ProfileQuery& query, const CancelToken& token, Cost* cost) {
  // Mostly nothing yet.
  const auto groups_before = groups_;
  const Cost cost_before = *cost;
  return with_fresh_views([&] {
    groups_ = groups_before;
    *cost = cost_before;
    return add_view(query, token, cost);
  });
}

Status GroupSums::add_view(const ProfileQuery& query, const CancelToken& token, Cost* cost) {
  const auto visit = [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
    HEARTH_RETURN_IF_ERROR(add_dataset(*dataset, query, cost));
    size_t bytes = 0;
    for (auto& [values, group] : groups_) {
      merge_equal(group.points);
      bytes += sizeof(Group) + group.points.capacity() * sizeof(Point);
    }
    if (charge_.bytes() != 0) return charge_.resize(bytes);
    HEARTH_ASSIGN_OR_RETURN(charge_,
                            impl_->options.memory->charge(bytes, "points of a time series"));
    return {};
  };
  return scan(*impl_->options.store, query.tenant, query.selector, query.range, token, cost, visit);
}

std::vector<GroupSums::Group> GroupSums::finish() {
  std::vector<Group> result;
  for (auto& [values, group] : groups_) {
    if (!group.points.empty()) result.push_back(std::move(group));
  }
  std::sort(result.begin(), result.end(), [this](const Group& a, const Group& b) {
    if (a.total != b.total) return a.total > b.total;
    return present(group_by_, a.values) < present(group_by_, b.values);
  });
  return result;
}

}  // namespace hearth::query
