#include "storage/manifest.h"

#include "storage/garbage.h"
#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/memory_bucket.h"

namespace hearth::storage {
namespace {

using test::MemoryBucket;
using Fault = MemoryBucket::Fault;
using Outcome = Manifest::Outcome;

constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kHour = 60 * kMinute;

struct World {
  test::ManualClock clock;
  MemoryBucket bucket{clock};
  std::unique_ptr<Random> random = seeded_random(1);
  Manifest manifest = open();

  Manifest open() { return {bucket, *random, clock, "test"}; }
  /// Writes a merged object and returns how a snapshot lists it.
  SnapshotSegment merged(const std::string& name) {
    const std::string key = "m/t/2024-01-01/" + name + ".seg";
    REQUIRE(bucket.put_if_absent(key, name));
    return {key, {1, 1}, name.size(), 1, 0, 1, 1, 1};
  }
  std::string fresh(uint64_t sequence) {
    const std::string key = fresh_key("w", sequence);
    REQUIRE(bucket.put_if_absent(key, "fresh"));
    return key;
  }
  Outcome commit(const Manifest::Change& change) {
    const auto outcome = manifest.commit(change);
    REQUIRE(outcome);
    return *outcome;
  }
  /// What a process that knows nothing yet would read.
  std::shared_ptr<const Snapshot> newest() {
    Manifest other = open();
    REQUIRE(other.refresh());
    return other.current();
  }
};

/// Fails the n-th "put" of a snapshot in this way.
MemoryBucket::Watch fail_put(int n, Fault fault) {
  return [n, fault, seen = 0](std::string_view call, const std::string& key, bool done) mutable {
    if (done || call != "put" || !key.starts_with("s/")) return Fault::none;
    return ++seen == n ? fault : Fault::none;
  };
}

}  // namespace

TEST_CASE("a commit replaces segments by others and remembers what it absorbed", "[compact]") {
  World w;
  const std::string a = w.fresh(0);
  const std::string b = w.fresh(1);
  CHECK(w.commit({{w.merged("x")}, {a, b}, {}}) == Outcome::committed);
  CHECK(w.commit({{w.merged("y")}, {"m/t/2024-01-01/x.seg"}, {}}) == Outcome::committed);
  const auto s = w.newest();
  CHECK(*s == *w.manifest.current());
  CHECK(s->number == 2);
  REQUIRE(s->segments.size() == 1);
  CHECK(s->segments[0].key == "m/t/2024-01-01/y.seg");
  CHECK(s->absorbed.contains(a));
  CHECK(s->absorbed.contains(b));
  CHECK(s->tombstones == std::vector<Tombstone>{{a, 1}, {b, 1}, {"m/t/2024-01-01/x.seg", 2}});
}

TEST_CASE("of two that commit the same number one is told that it lost", "[compact]") {
  World w;
  const std::string a = w.fresh(0);
  Manifest other = w.open();
  CHECK(w.commit({{w.merged("x")}, {a}, {}}) == Outcome::committed);
  CHECK(other.commit({{w.merged("y")}, {a}, {}}).value() == Outcome::lost);
  REQUIRE(other.refresh());
  CHECK(other.current()->segments == w.manifest.current()->segments);
  // Now it knows that the fresh segment is taken, and gives up without a try.
  CHECK(other.commit({{w.merged("z")}, {a}, {}}).value() == Outcome::lost);
  CHECK(w.newest()->number == 1);
}

TEST_CASE("a commit whose answer is lost finds its own snapshot", "[compact]") {
  World w;
  w.bucket.watch(fail_put(1, Fault::lost_answer));
  CHECK(w.commit({{w.merged("x")}, {w.fresh(0)}, {}}) == Outcome::committed);
  CHECK(w.newest()->number == 1);
  w.bucket.watch(fail_put(1, Fault::refused));
  CHECK(w.commit({{w.merged("y")}, {w.fresh(1)}, {}}) == Outcome::committed);
  CHECK(w.newest()->number == 2);
}

TEST_CASE("after a commit of unknown outcome nothing is committed before a look", "[compact]") {
  for (const bool applied : {false, true}) {
    World w;
    const std::string a = w.fresh(0);
    const SnapshotSegment x = w.merged("x");
    bool down = true;
    w.bucket.watch([&](std::string_view call, const std::string& key, bool) {
      if (!down || !key.starts_with("s/")) return Fault::none;
      return call == "put" && applied ? Fault::lost_answer : Fault::refused;
    });
    CHECK_FALSE(w.manifest.commit({{x}, {a}, {}}));
    down = false;
    CHECK_FALSE(w.manifest.commit({{x}, {a}, {}}));
    REQUIRE(w.manifest.refresh());
    CHECK(w.manifest.current()->number == (applied ? 1 : 0));
    CHECK(w.commit({{x}, {a}, {}}) == (applied ? Outcome::lost : Outcome::committed));
    CHECK(w.newest()->segments.size() == 1);
  }
}

TEST_CASE("a listing that lags hides no snapshot", "[compact]") {
  World w;
  w.bucket.delay_listing(kMinute);
  CHECK(w.commit({{w.merged("x")}, {w.fresh(0)}, {}}) == Outcome::committed);
  w.clock.advance(2 * kMinute);
  for (uint64_t i = 1; i <= 5; ++i) CHECK(w.commit({{}, {w.fresh(i)}, {}}) == Outcome::committed);
  CHECK(w.newest()->number == 6);
}

TEST_CASE("who slept until old snapshots were collected cannot bring their number back",
          "[compact]") {
  World w;
  Manifest sleeper = w.open();
  for (uint64_t i = 0; i < 5; ++i) CHECK(w.commit({{}, {w.fresh(i)}, {}}) == Outcome::committed);
  w.clock.advance(8 * 24 * kHour);
  const auto collected = collect_orphans(w.bucket, w.manifest, {});
  REQUIRE(collected);
  CHECK(collected->snapshots == 4);
  CHECK(sleeper.commit({{w.merged("x")}, {w.fresh(9)}, {}}).value() == Outcome::lost);
  CHECK(w.newest()->number == 5);
}

TEST_CASE("a damaged newest snapshot is an error, not an older state", "[compact]") {
  World w;
  CHECK(w.commit({{w.merged("x")}, {w.fresh(0)}, {}}) == Outcome::committed);
  REQUIRE(w.bucket.put(snapshot_key(2), "garbage"));
  CHECK(w.manifest.refresh().error().code == ErrorCode::data_loss);
  CHECK(w.manifest.current()->number == 1);
  Manifest other = w.open();
  CHECK_FALSE(other.refresh());
}

TEST_CASE("tombstoned objects are deleted after their delay and never before", "[compact]") {
  World w;
  const std::string a = w.fresh(0);
  CHECK(w.commit({{w.merged("x")}, {a}, {}}) == Outcome::committed);
  CHECK(w.commit({{w.merged("y")}, {"m/t/2024-01-01/x.seg"}, {}}) == Outcome::committed);
  const auto collect = [&] { return collect_tombstones(w.bucket, w.manifest, {})->objects; };
  w.clock.advance(9 * kMinute);
  CHECK(collect() == 0);
  w.clock.advance(kMinute);
  CHECK(collect() == 1);
  CHECK_FALSE(w.bucket.has(a));
  CHECK(w.bucket.has("m/t/2024-01-01/x.seg"));
  w.clock.advance(kHour);
  CHECK(collect() == 1);
  CHECK_FALSE(w.bucket.has("m/t/2024-01-01/x.seg"));
  CHECK(w.bucket.has("m/t/2024-01-01/y.seg"));
  CHECK(w.newest()->tombstones.empty());
  CHECK(w.newest()->absorbed.contains(a));
}

TEST_CASE("ages are by the store's clock, whatever the local one says", "[compact]") {
  World w;
  const std::string a = w.fresh(0);
  CHECK(w.commit({{w.merged("x")}, {a}, {}}) == Outcome::committed);
  test::ManualClock ahead;  // Of a compactor that believes to live a year later.
  ahead.advance(365 * 24 * kHour);
  Manifest other(w.bucket, *w.random, ahead, "test");
  CHECK(collect_tombstones(w.bucket, other, {})->objects == 0);
  CHECK(w.bucket.has(a));
}

TEST_CASE("what a query of this process reads is not deleted", "[compact]") {
  World w;
  const std::string a = w.fresh(0);
  const std::string b = w.fresh(1);
  CHECK(w.commit({{w.merged("x")}, {a, b}, {}}) == Outcome::committed);
  GarbageOptions options;
  options.at_once = true;
  options.in_use = [&](const std::string& key) { return key == a; };
  CHECK(collect_tombstones(w.bucket, w.manifest, options)->objects == 1);
  CHECK(w.bucket.has(a));
  CHECK_FALSE(w.bucket.has(b));
  CHECK(w.newest()->tombstones == std::vector<Tombstone>{{a, 1}});
}

TEST_CASE("orphans and late copies of absorbed segments go after a day, nothing else does",
          "[compact]") {
  World w;
  const std::string a = w.fresh(0);
  const std::string live = w.fresh(1);
  CHECK(w.commit({{w.merged("x")}, {a}, {}}) == Outcome::committed);
  (void)w.merged("orphan");
  w.clock.advance(kHour);
  CHECK(collect_tombstones(w.bucket, w.manifest, {})->objects == 1);
  CHECK(w.fresh(0) == a);  // Its writer lost the answer and tries again.
  w.clock.advance(23 * kHour + 30 * kMinute);
  CHECK(collect_orphans(w.bucket, w.manifest, {})->orphans == 1);
  CHECK_FALSE(w.bucket.has("m/t/2024-01-01/orphan.seg"));
  CHECK(w.bucket.has(a));
  w.clock.advance(kHour);
  CHECK(collect_orphans(w.bucket, w.manifest, {})->orphans == 1);
  CHECK_FALSE(w.bucket.has(a));
  CHECK(w.bucket.has(live));
  CHECK(w.bucket.has("m/t/2024-01-01/x.seg"));
  CHECK(w.bucket.has(snapshot_key(w.manifest.current()->number)));
}

}  // namespace hearth::storage
