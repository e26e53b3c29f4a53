#include <algorithm>
#include <set>

#include "base/log.h"
#include "storage/bucket_verify.h"
#include "storage/compaction_plan.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/object_store_suite.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::StoreUnderTest;

constexpr int64_t kDay0 = 1'700'000'000'000'000'000 / kDayNs * kDayNs;

/// An acknowledged profile that starts then.
void append_at(StoreUnderTest& t, const std::string& tenant, const std::string& service,
               int64_t start_ns) {
  static uint64_t next_id = 1;
  ProfileBatch batch = t.gen().next();
  batch.time_ns = start_ns;
  REQUIRE(t.append_batch(tenant, test::series_of(service, "p"), batch, Id128{77, next_id++}));
}

std::vector<std::string> objects(StoreUnderTest& t, const std::string& prefix) {
  return test::keys_of(*t.options().bucket, prefix);
}

/// Every segment of the bucket passes verification.
void verify_all(StoreUnderTest& t) {
  for (const std::string& key : objects(t, "")) {
    if (!key.ends_with(".seg")) continue;
    const std::string bytes = test::read_all(*t.options().bucket, key);
    const auto report = verify_segment(test::MemoryObject(bytes), key);
    INFO(key << ": " << (report.findings.empty() ? "" : report.findings.front()));
    CHECK(report.findings.empty());
  }
}

std::array<uint64_t, 3> levels(StoreUnderTest& t) {
  const CompactionStats stats = t.store().stats().compaction;
  return {stats.levels[0].segments, stats.levels[1].segments, stats.levels[2].segments};
}

using Levels = std::array<uint64_t, 3>;

}  // namespace

TEST_CASE("a forced compaction leaves one day segment per tenant and nothing else", "[compact]") {
  StoreUnderTest t;
  for (int i = 0; i < 12; ++i) {
    append_at(t, i % 3 == 0 ? "acme" : "other", "svc" + std::to_string(i % 2),
              kDay0 + i * 10 * 60'000'000'000);
    if (i % 4 == 3) REQUIRE(t.store().seal());
  }
  const auto outcome = t.store().compact(true, {});
  REQUIRE(outcome);
  CHECK(outcome->duplicates == 0);
  CHECK(outcome->profiles == 24);  // Once as hours, once as days.
  CHECK(levels(t) == Levels{0, 0, 2});
  CHECK(objects(t, "l0/").empty());
  CHECK(objects(t, "m/").size() == 2);
  t.check();
  verify_all(t);
  const auto view = t.store().view(*Tenant::parse("other"), {});
  for (const auto& dataset : view->datasets) CHECK(dataset->has_rollup());
  // Nothing is left to do.
  const auto snapshot = t.store().stats().compaction.snapshot;
  CHECK(t.store().compact(true, {})->jobs == 0);
  CHECK(t.store().stats().compaction.snapshot == snapshot);
  REQUIRE(t.reopen());
  CHECK(levels(t) == Levels{0, 0, 2});
  t.check();
}

TEST_CASE("profiles of any age go to the hour in which they start", "[compact]") {
  StoreUnderTest t;
  const std::set<int64_t> hours = {kDay0, kDay0 + kHourNs, kDay0 - 400 * kDayNs,
                                   0,     -3 * kHourNs,    kDay0 + kDayNs};
  for (const int64_t hour : hours) {
    append_at(t, "acme", "svc", hour);
    append_at(t, "acme", "svc", hour + kHourNs - 1);
  }
  REQUIRE(t.store().seal());
  t.clock().advance(3 * kDayNs);
  REQUIRE(t.store().compact_step({}));
  t.check();
  verify_all(t);
  // The day of the last two profiles is not over for long enough, the others' are.
  CHECK(levels(t)[0] == 0);
  std::set<int64_t> seen;
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  for (const auto& dataset : view->datasets) {
    const int64_t day = floor_time(dataset->info().t_min_ns, kDayNs);
    CHECK(floor_time(dataset->info().t_max_ns, kDayNs) == day);
    CHECK(seen.insert(day).second);
  }
  CHECK(seen.size() == 5);
}

TEST_CASE("hours keep side data, days only when told to", "[compact]") {
  const auto with_side = [](StoreUnderTest& t) {
    size_t n = 0;
    const auto view = t.store().view(*Tenant::parse("acme"), {});
    REQUIRE(view);
    for (const auto& dataset : view->datasets) n += dataset->has_side() ? 1 : 0;
    return n;
  };
  for (const bool in_days : {false, true}) {
    StoreUnderTest t;
    t.options().side_data_in_days = in_days;
    REQUIRE(t.reopen());
    for (int i = 0; i < 30; ++i) {
      append_at(t, "acme", "svc", kDay0 + i * 60'000'000'000);
      if (i % 10 == 9) REQUIRE(t.store().seal());
    }
    CHECK(with_side(t) == 3);
    REQUIRE(t.store().compact(false, {}));
    CHECK(levels(t) == Levels{0, 1, 0});
    CHECK(with_side(t) == 1);
    t.check();
    verify_all(t);
    REQUIRE(t.store().compact(true, {}));
    CHECK(levels(t) == Levels{0, 0, 1});
    CHECK(with_side(t) == (in_days ? 1 : 0));
    verify_all(t);
    if (in_days) t.check();
  }
}

TEST_CASE("hours are merged when they are over, days three hours after", "[compact]") {
  StoreUnderTest t;
  const int64_t start = t.clock().wall_ns() / kDayNs * kDayNs;
  t.clock().advance(start + kDayNs - t.clock().wall_ns());  // Midnight.
  for (int hour = 0; hour < 24; ++hour) {
    append_at(t, "acme", "svc", t.clock().wall_ns());
    t.clock().advance(kHourNs - 1'000'000'000);
    append_at(t, "acme", "svc", t.clock().wall_ns());
    REQUIRE(t.store().seal());
    t.clock().advance(1'000'000'000);
    REQUIRE(t.store().compact_step({}));
    INFO("hour " << hour);
    // The hour that just ended waits for what comes a little late.
    CHECK(levels(t) == Levels{1, static_cast<uint64_t>(hour), 0});
    t.clock().advance(5 * 60'000'000'000);
    REQUIRE(t.store().compact_step({}));
    CHECK(levels(t) == Levels{0, static_cast<uint64_t>(hour) + 1, 0});
    t.clock().advance(-5 * 60'000'000'000);
  }
  t.check();
  t.clock().advance(3 * kHourNs);
  REQUIRE(t.store().compact_step({}));
  CHECK(levels(t) == Levels{0, 0, 1});
  t.check();
  verify_all(t);
  // Replaced objects go an hour later.
  CHECK(objects(t, "m/").size() == 25);
  t.clock().advance(2 * kHourNs);
}

TEST_CASE("a late profile of a merged hour is seen at once and merged with its day", "[compact]") {
  StoreUnderTest t;
  append_at(t, "acme", "svc", kDay0);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  CHECK(levels(t) == Levels{0, 0, 1});
  append_at(t, "acme", "svc", kDay0 + 5);
  REQUIRE(t.store().seal());
  t.check();
  t.clock().advance(2 * kDayNs);
  REQUIRE(t.store().compact_step({}));
  t.check();
  CHECK(levels(t)[0] == 0);
  CHECK(levels(t)[1] == 0);
  REQUIRE(t.store().compact(true, {}));
  CHECK(levels(t) == Levels{0, 0, 1});
  t.check();
}

TEST_CASE("a view taken before a compaction reads the same after its objects are gone",
          "[compact]") {
  StoreUnderTest t;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.store().seal());
  }
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  REQUIRE(t.store().compact(true, {}));
  std::map<Id128, test::PlainProfile> seen;
  for (const auto& dataset : view->datasets) test::read_dataset("acme", *dataset, seen);
  CHECK(seen.size() == 5);
  // What the view holds open is not deleted before it is given back.
  CHECK(objects(t, "l0/").size() == 5);
}

TEST_CASE("a lost catalog is rebuilt from the snapshot and the fresh segments after it",
          "[compact]") {
  StoreUnderTest t;
  for (int i = 0; i < 4; ++i) {
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.store().seal());
  }
  t.clock().advance(kDayNs);
  REQUIRE(t.store().compact_step({}));  // Leaves the fresh objects for now.
  CHECK(objects(t, "l0/").size() == 4);
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  t.close();
  t.disk().durable[static_cast<size_t>(KvFamily::catalog)].clear();
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.store().stats().corrupt_objects_total == 0);
  CHECK(levels(t)[0] == 1);
}

TEST_CASE("a damaged segment is left as it is, the others are merged", "[compact]") {
  log::set_sink([](log::Level, std::string_view) {});
  StoreUnderTest t;
  for (int i = 0; i < 4; ++i) {
    append_at(t, "acme", "svc", kDay0 + i);
    REQUIRE(t.store().seal());
  }
  const std::string victim = objects(t, "l0/").at(1);
  std::string bytes = test::read_all(*t.options().bucket, victim);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  REQUIRE(t.options().bucket->put(victim, bytes));
  REQUIRE(t.reopen());
  (void)t.store().compact(true, {});
  CHECK(levels(t) == Levels{1, 0, 1});
  CHECK(t.store().stats().compaction.damaged_inputs == 1);
  CHECK(objects(t, "l0/") == std::vector<std::string>{victim});
  log::set_sink({});
}

TEST_CASE("verify notices that a segment of the snapshot is missing or another", "[compact]") {
  StoreUnderTest t;
  append_at(t, "acme", "svc", kDay0);
  REQUIRE(t.store().seal());
  CHECK(verify_bucket(*t.options().bucket).empty());
  REQUIRE(t.store().compact(true, {}));
  CHECK(verify_bucket(*t.options().bucket).empty());
  const std::string key = objects(t, "m/").at(0);
  const std::string bytes = test::read_all(*t.options().bucket, key);
  REQUIRE(t.options().bucket->put(key, bytes.substr(1)));
  CHECK(verify_bucket(*t.options().bucket).size() == 1);
  REQUIRE(t.options().bucket->remove(key));
  CHECK(verify_bucket(*t.options().bucket).size() == 1);
}

TEST_CASE("merged segments close at their size, by ranges of services", "[compact]") {
  StoreUnderTest t;
  t.options().merged_segment_bytes = 3000;
  REQUIRE(t.reopen());
  for (int i = 0; i < 40; ++i) append_at(t, "acme", "svc" + std::to_string(i % 10), kDay0 + i);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  t.check();
  verify_all(t);
  CHECK(levels(t)[2] > 1);
  CHECK(levels(t)[2] <= 10);
}

TEST_CASE("more memory than there is makes compaction wait, not fail what it has", "[compact]") {
  StoreUnderTest t;
  append_at(t, "acme", "svc", kDay0);
  REQUIRE(t.store().seal());
  const MemoryCharge all = t.memory().must_charge(t.memory().limit());
  CHECK(t.store().compact(true, {}).error().code == ErrorCode::unavailable);
  t.check();
  CHECK(levels(t) == Levels{1, 0, 0});
}

TEST_CASE("a query-only store does not compact", "[compact]") {
  StoreUnderTest t;
  append_at(t, "acme", "svc", kDay0);
  REQUIRE(t.store().seal());
  t.set_query_only("read-only file system");
  REQUIRE(t.reopen());
  CHECK(t.store().compact(true, {}).error().code == ErrorCode::unavailable);
  CHECK(t.store().compact_step({}));
  t.check();
}

}  // namespace hearth::storage
