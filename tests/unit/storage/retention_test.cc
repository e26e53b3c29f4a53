#include "storage/retention_plan.h"

#include <algorithm>

#include "support/catch.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

constexpr int64_t kDay0 = 19'700 * kDayNs;

Result<int64_t> days(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return fail(ErrorCode::invalid_argument, "got \"" + std::string(text) + "\"; want days");
  return std::stoll(std::string(text)) * kDayNs;
}

SegmentEntry segment(std::string key, uint8_t level, uint64_t size, int64_t start_ns,
                     const std::vector<std::string>& services, const std::string& tenant = "t") {
  SegmentEntry out{{std::move(key), {}, size, level, services.size()}, {}};
  for (const auto& s : services) out.parts.push_back({tenant, s, start_ns, start_ns + 5, 1});
  return out;
}

using Keys = std::vector<std::string>;

void append_at(test::StoreUnderTest& t, const std::string& service, int64_t start_ns) {
  static uint64_t next_id = 1;
  ProfileBatch batch = t.gen().next();
  batch.time_ns = start_ns;
  REQUIRE(t.append_batch("acme", test::series_of(service, "p"), batch, Id128{88, next_id++}));
}

size_t profiles(test::StoreUnderTest& t, std::optional<std::string> service = {}) {
  const auto view = t.store().view(*Tenant::parse("acme"), {.service = std::move(service)});
  REQUIRE(view);
  CHECK(view->partial.empty());
  size_t n = 0;
  for (const auto& d : view->datasets) n += d->info().profiles;
  return n;
}

}  // namespace

TEST_CASE("the most precise rule says how long something is kept", "[retention]") {
  Retention r;
  r.age_ns = 9;
  r.rules = *parse_retention_rules("acme=7, acme/checkout=30 ,*/batch=1,audit=0", days);
  CHECK(r.age_of("other", "web") == 9);
  CHECK(r.age_of("acme", "web") == 7 * kDayNs);
  CHECK(r.age_of("acme", "checkout") == 30 * kDayNs);
  CHECK(r.age_of("acme", "batch") == kDayNs);
  CHECK(r.age_of("audit", "web") == 0);
  CHECK(r.longest_age_ns() == 0);
  r.rules.pop_back();
  CHECK(r.longest_age_ns() == 30 * kDayNs);
  CHECK(Retention{}.longest_age_ns() == 0);
}

TEST_CASE("rules that make no sense are refused by name", "[retention]") {
  CHECK(parse_retention_rules("", days)->empty());
  CHECK(parse_retention_rules(" , ", days).error().code == ErrorCode::invalid_argument);
  CHECK(parse_retention_rules("acme", days).error().message.find("acme") != std::string::npos);
  CHECK_FALSE(parse_retention_rules("acme=soon", days));
  CHECK_FALSE(parse_retention_rules("=7", days));
}

TEST_CASE("segments go when the last moment of their window is old enough", "[retention]") {
  const std::vector<SegmentEntry> live = {
      segment("day", 2, 1, kDay0, {"a"}),
      segment("hour", 1, 1, kDay0 + 2 * kHourNs, {"a"}),
      segment("fresh", 0, 1, kDay0, {"a"}),
  };
  Retention r;
  r.age_ns = kDayNs;
  const auto at = [&](int64_t now_ns) { return plan_retention(live, r, now_ns).removed; };
  CHECK(at(kDay0 + kDayNs + 3 * kHourNs - 1).empty());
  CHECK(at(kDay0 + kDayNs + 3 * kHourNs) == Keys{"hour"});
  CHECK(at(kDay0 + 2 * kDayNs - 1) == Keys{"hour"});
  CHECK(at(kDay0 + 2 * kDayNs) == Keys{"day", "hour"});
  r.age_ns = 0;
  CHECK(at(INT64_MAX).empty());
}

TEST_CASE("a segment that some of its services leave is written again without them",
          "[retention]") {
  const std::vector<SegmentEntry> live = {segment("both", 2, 1, kDay0, {"a", "b"}),
                                          segment("b", 2, 1, kDay0, {"b"})};
  Retention r;
  r.rules = *parse_retention_rules("t/a=1", days);
  const RetentionPlan plan = plan_retention(live, r, kDay0 + 10 * kDayNs);
  CHECK(plan.removed.empty());
  REQUIRE(plan.reduced.size() == 1);
  CHECK(plan.reduced[0].inputs[0].segment.key == "both");
  CHECK(plan.reduced[0].level == 2);
}

TEST_CASE("over the size limit the oldest go, of all tenants, and no more than needed",
          "[retention]") {
  const std::vector<SegmentEntry> live = {
      segment("c", 2, 40, kDay0 + 2 * kDayNs, {"a"}),
      segment("b", 2, 40, kDay0 + kDayNs, {"a"}, "u"),
      segment("a", 2, 40, kDay0, {"a"}),
      segment("fresh", 0, 10, kDay0 - kDayNs, {"a"}),
  };
  Retention r;
  const auto with = [&](uint64_t bytes_max) {
    r.bytes_max = bytes_max;
    return plan_retention(live, r, kDay0).removed;
  };
  CHECK(with(0).empty());
  CHECK(with(130).empty());
  CHECK(with(129) == Keys{"a"});
  CHECK(with(89) == Keys{"a", "b"});
  CHECK(with(1) == Keys{"a", "b", "c"});
}

TEST_CASE("a store forgets by age and service, and what is gone stays gone", "[retention]") {
  test::StoreUnderTest t;
  t.options().retention.age_ns = 10 * kDayNs;
  t.options().retention.rules = *parse_retention_rules("*/brief=2", days);
  REQUIRE(t.reopen());
  const int64_t now_ns = t.clock().wall_ns() / kDayNs * kDayNs;
  for (const int64_t age : {1, 5, 20}) {
    append_at(t, "long", now_ns - age * kDayNs);
    append_at(t, "brief", now_ns - age * kDayNs);
  }
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  CHECK(profiles(t) == 3);
  CHECK(profiles(t, "long") == 2);
  CHECK(profiles(t, "brief") == 1);
  CHECK(t.store().stats().compaction.expired_profiles_total == 3);
  REQUIRE(t.reopen());
  CHECK(profiles(t) == 3);
  t.clock().advance(7 * kDayNs);
  REQUIRE(t.store().compact_step({}));
  CHECK(profiles(t, "long") == 1);
  CHECK(profiles(t, "brief") == 0);
}

TEST_CASE("a store stays below its size by forgetting the oldest days", "[retention]") {
  test::StoreUnderTest t;
  const int64_t now_ns = t.clock().wall_ns() / kDayNs * kDayNs;
  for (int day = 1; day <= 6; ++day) append_at(t, "svc", now_ns - day * kDayNs);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  CHECK(profiles(t) == 6);
  t.options().retention.bytes_max = t.store().stats().segment_bytes / 2;
  REQUIRE(t.reopen());
  t.clock().advance(kHourNs);
  REQUIRE(t.store().compact_step({}));
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  const auto left = static_cast<int64_t>(view->datasets.size());
  CHECK(left >= 1);
  CHECK(left <= 4);
  for (const auto& d : view->datasets) CHECK(d->info().t_min_ns >= now_ns - left * kDayNs);
  CHECK(t.store().stats().segment_bytes <= t.options().retention.bytes_max);
}

}  // namespace hearth::storage
