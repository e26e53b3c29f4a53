#include "storage/compaction_plan.h"

#include <algorithm>
#include <limits>
#include <set>

#include "support/catch.h"

namespace hearth::storage {
namespace {

constexpr int64_t kDay0 = 19'700 * kDayNs;

struct Part {
  std::string tenant, service;
  int64_t t_min, t_max;
};

SegmentEntry entry(std::string key, uint8_t level, uint64_t size, const std::vector<Part>& parts) {
  SegmentEntry out{{std::move(key), {}, size, level, parts.size()}, {}};
  for (const Part& p : parts) out.parts.push_back({p.tenant, p.service, p.t_min, p.t_max, 10});
  return out;
}

std::set<std::string> keys(const CompactionJob& job) {
  std::set<std::string> out;
  for (const SegmentEntry& e : job.inputs) out.insert(e.segment.key);
  return out;
}

using Keys = std::set<std::string>;

}  // namespace

TEST_CASE("times are floored towards the past, before 1970 too", "[compact]") {
  CHECK(floor_time(0, kHourNs) == 0);
  CHECK(floor_time(kHourNs - 1, kHourNs) == 0);
  CHECK(floor_time(-1, kHourNs) == -kHourNs);
  CHECK(floor_time(-kHourNs, kHourNs) == -kHourNs);
  CHECK(floor_time(std::numeric_limits<int64_t>::min(), kDayNs) ==
        std::numeric_limits<int64_t>::min());
  CHECK(floor_time(std::numeric_limits<int64_t>::max(), kDayNs) > 0);
}

TEST_CASE("fresh segments of hours that are over are merged, later ones wait", "[compact]") {
  const std::vector<SegmentEntry> live = {
      entry("late", 0, 100, {{"t", "s", kDay0 + kHourNs, kDay0 + kHourNs + 5}}),
      entry("old", 0, 100, {{"t", "s", kDay0 + 10, kDay0 + 20}}),
      entry("border", 0, 100, {{"t", "s", kDay0 + kHourNs - 1, kDay0 + kHourNs + 1}}),
  };
  PlanOptions options;
  options.over_before_ns = kDay0 + kHourNs;
  const auto jobs = plan_hours(live, options);
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].level == 1);
  CHECK(keys(jobs[0]) == Keys{"old", "border"});
  options.over_before_ns = kDay0;
  CHECK(plan_hours(live, options).empty());
  options.over_before_ns = INT64_MAX;
  CHECK(keys(plan_hours(live, options).at(0)).size() == 3);
}

TEST_CASE("an hour takes along what is there of it and not larger than what is new", "[compact]") {
  const std::vector<SegmentEntry> live = {
      entry("fresh", 0, 1000, {{"t", "s", kDay0, kDay0}, {"u", "s", kDay0, kDay0}}),
      entry("small", 1, 500, {{"t", "s", kDay0 + 5, kDay0 + 5}}),
      entry("large", 1, 501, {{"t", "s", kDay0 + 5, kDay0 + 5}}),
      entry("other hour", 1, 1, {{"t", "s", kDay0 + kHourNs, kDay0 + kHourNs}}),
      entry("other tenant", 1, 1, {{"v", "s", kDay0, kDay0}}),
  };
  PlanOptions options;
  options.over_before_ns = INT64_MAX;
  const auto jobs = plan_hours(live, options);
  REQUIRE(jobs.size() == 1);
  CHECK(keys(jobs[0]) == Keys{"fresh", "small"});
}

TEST_CASE("a service in seven segments of an hour gets one", "[compact]") {
  std::vector<SegmentEntry> live = {entry("fresh", 0, 10, {{"t", "s", kDay0, kDay0}})};
  for (int i = 0; i < 7; ++i)
    live.push_back(entry("m" + std::to_string(i), 1, 1'000'000, {{"t", "s", kDay0, kDay0}}));
  PlanOptions options;
  options.over_before_ns = INT64_MAX;
  CHECK(keys(plan_hours(live, options).at(0)).size() == 8);
  live.pop_back();
  CHECK(keys(plan_hours(live, options).at(0)).size() == 1);
}

TEST_CASE("many datasets make several batches, and no segment is in two", "[compact]") {
  std::vector<SegmentEntry> live;
  for (int i = 0; i < 30; ++i)
    live.push_back(entry("f" + std::to_string(i), 0, 10, {{"t", "s", kDay0 + i, kDay0 + i}}));
  for (int i = 0; i < 3; ++i)
    live.push_back(entry("m" + std::to_string(i), 1, 1, {{"t", "s", kDay0, kDay0}}));
  PlanOptions options;
  options.over_before_ns = INT64_MAX;
  options.datasets_max = 7;
  const auto jobs = plan_hours(live, options);
  CHECK(jobs.size() == 5);
  Keys all;
  size_t inputs = 0;
  for (const auto& job : jobs) {
    inputs += job.inputs.size();
    all.merge(keys(job));
  }
  CHECK(inputs == 33);
  CHECK(all.size() == 33);
}

TEST_CASE("a part that spans centuries costs no time per hour", "[compact]") {
  const std::vector<SegmentEntry> live = {entry(
      "fresh", 0, 10,
      {{"t", "s", std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}})};
  PlanOptions options;
  options.over_before_ns = INT64_MAX;
  CHECK(plan_hours(live, options).size() == 1);
}

TEST_CASE("days that are over become day segments, by ranges of services", "[compact]") {
  const int64_t later = kDay0 + 5 * kHourNs;
  const std::vector<SegmentEntry> live = {
      entry("a0", 1, 10, {{"t", "a", kDay0, kDay0}, {"t", "b", kDay0, kDay0}}),
      entry("a1", 1, 10, {{"t", "a", later, later}}),
      entry("c0", 1, 10, {{"t", "c", kDay0, kDay0}}),
      entry("u0", 1, 10, {{"u", "a", kDay0, kDay0}}),
      entry("today", 1, 10, {{"t", "a", kDay0 + kDayNs, kDay0 + kDayNs}}),
      entry("fresh", 0, 10, {{"t", "a", kDay0, kDay0}}),
      entry("day small", 2, 20, {{"t", "b", kDay0, kDay0}}),
      entry("day large", 2, 21, {{"t", "b", kDay0, kDay0}}),
      entry("day alone", 2, 1, {{"t", "d", kDay0, kDay0}}),
  };
  PlanOptions options;
  options.over_before_ns = kDay0 + kDayNs;
  const auto jobs = plan_days(live, options);
  std::set<Keys> found;
  for (const auto& job : jobs) {
    CHECK(job.level == 2);
    found.insert(keys(job));
  }
  CHECK(found == std::set<Keys>{{"a0", "a1", "day small"}, {"c0"}, {"u0"}});
}

TEST_CASE("a forced plan leaves one day segment per service, and then nothing to do", "[compact]") {
  PlanOptions options;
  options.over_before_ns = INT64_MAX;
  options.force = true;
  const SegmentEntry a = entry("d0", 2, 1'000'000, {{"t", "a", kDay0, kDay0}});
  const SegmentEntry b = entry("d1", 2, 1, {{"t", "a", kDay0, kDay0}});
  CHECK(keys(plan_days({a, b}, options).at(0)) == Keys{"d0", "d1"});
  CHECK(plan_days({a}, options).empty());
  options.force = false;
  CHECK(plan_days({a, b}, options).empty());
}

}  // namespace hearth::storage
