// A store beside another process on the same bucket, and beside a bucket that gives only some of
// what it has.
#include <memory>

#include "support/catch.h"
#include "support/memory_bucket.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::MemoryBucket;
using test::QuietLog;
using test::StoreUnderTest;
using Fault = MemoryBucket::Fault;

/// The hour of every profile is over.
constexpr int64_t kLater = 7'200'000'000'000;

struct Shared {
  test::ManualClock clock;
  MemoryBucket bucket{clock};

  void join(StoreUnderTest& store) {
    store.set_bucket(
        [this] { return std::shared_ptr<ObjectStore>(std::shared_ptr<void>(), &bucket); });
    store.close();
    store.disk().durable[static_cast<size_t>(KvFamily::catalog)].clear();  // Of another bucket.
    store.clock().advance(kLater);
    REQUIRE(store.reopen());
  }
};

TEST_CASE("a seal that another process's compaction overtook counts once after a restart",
          "[compact]") {
  const QuietLog quiet;
  Shared shared;
  StoreUnderTest one(1);
  shared.join(one);
  REQUIRE(one.append("acme", "svc", "p"));
  one.kv().fail_write(3);  // The cluster, the intent, and what makes the segment live.
  REQUIRE_FALSE(one.store().seal());
  REQUIRE(shared.bucket.keys("l0/").size() == 1);

  StoreUnderTest other(2);
  shared.join(other);
  REQUIRE(other.store().compact(true, {}));
  REQUIRE(shared.bucket.keys("l0/").empty());

  REQUIRE(one.reopen());
  one.check();
  CHECK(one.store().stats().head_profiles == 0);
  REQUIRE(one.append("acme", "svc", "p"));
  REQUIRE(one.store().seal());
  REQUIRE(one.reopen());
  one.check();
}

TEST_CASE("a seal that another process's compaction overtakes under way counts once", "[compact]") {
  const QuietLog quiet;
  Shared shared;
  StoreUnderTest one(1);
  StoreUnderTest other(2);
  shared.join(one);
  REQUIRE(one.append("acme", "svc", "p"));
  bool overtaken = false;
  shared.bucket.watch([&](std::string_view call, const std::string& key, bool done) {
    if (overtaken || !done || call != "put" || !key.starts_with("l0/")) return Fault::none;
    overtaken = true;
    shared.join(other);
    REQUIRE(other.store().compact(false, {}));
    CHECK_FALSE(one.store().compact(false, {}));
    one.check();
    return Fault::none;
  });
  REQUIRE(one.store().seal());
  REQUIRE(overtaken);
  one.check();
  REQUIRE(one.store().compact(false, {}));
  one.check();
  CHECK(one.store().stats().compaction.levels[0].segments == 0);
}

TEST_CASE("what a listing did not show when a process started is found by a later look",
          "[compact]") {
  const QuietLog quiet;
  Shared shared;
  shared.bucket.delay_listing(30'000'000'000);
  StoreUnderTest lost(1);
  shared.join(lost);
  REQUIRE(lost.append("acme", "svc", "p"));
  REQUIRE(lost.store().seal());
  StoreUnderTest heir(2);
  shared.join(heir);
  CHECK(heir.store().stats().segments == 0);
  shared.bucket.delay_listing(0);
  REQUIRE(heir.store().compact(false, {}));
  CHECK(test::read_all(heir.store(), *Tenant::parse("acme")).size() == 1);
}

TEST_CASE("a start that cannot read all that is new misses nothing", "[compact]") {
  const QuietLog quiet;
  Shared shared;
  StoreUnderTest t(1);
  shared.join(t);
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.append("globex", "svc", "p"));
  REQUIRE(t.store().seal());
  t.kv().fail_write(1);  // The snapshot is there, the catalog does not know of it.
  REQUIRE_FALSE(t.store().compact(false, {}));
  REQUIRE(shared.bucket.keys("m/").size() == 2);

  const std::string hidden = shared.bucket.keys("m/").front();
  shared.bucket.watch([&](std::string_view call, const std::string& key, bool) {
    return call == "open" && key == hidden ? Fault::refused : Fault::none;
  });
  REQUIRE(t.reopen());
  t.check(/*compared=*/false);
  CHECK_FALSE(t.store().compact(false, {}));
  t.check(/*compared=*/false);
  shared.bucket.watch({});
  REQUIRE(t.store().compact(false, {}));
  t.check();
  CHECK(t.store().stats().compaction.levels[0].segments == 0);
}

}  // namespace
}  // namespace hearth::storage
