// A start while the bucket is away, on a database that may be an older copy.
#include <atomic>
#include <functional>
#include <memory>

#include "storage/keys.h"
#include "support/catch.h"
#include "support/memory_bucket.h"
#include "support/moody_bucket.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::MemoryBucket;
using test::QuietLog;
using test::StoreUnderTest;

constexpr int64_t kMinute = 60'000'000'000;

/// A store on a bucket that can be away.
struct Away {
  StoreUnderTest t;
  std::shared_ptr<MemoryBucket> bucket = std::make_shared<MemoryBucket>(t.clock());
  std::atomic<bool> away = false;

  Away() {
    t.set_bucket([this]() -> Result<std::shared_ptr<ObjectStore>> {
      return std::make_shared<test::MoodyBucket>(bucket, away);
    });
    t.close();
    t.disk() = {};
    REQUIRE(t.reopen());
    append(1);
    REQUIRE(t.store().seal());
  }
  ~Away() { t.close(); }
  Away(const Away&) = delete;
  Away& operator=(const Away&) = delete;

  void append(int profiles) {
    for (int i = 0; i < profiles; ++i)
      REQUIRE(t.append("acme", "svc" + std::to_string(i % 2), "p" + std::to_string(i % 3)));
  }
  /// Starts while the bucket is away, on the database as it was before `since`.
  void start_older(const std::function<void()>& since) {
    const auto copy = t.disk().durable;
    since();
    t.close();
    t.disk().durable = copy;
    away = true;
    REQUIRE(t.reopen());
  }
  size_t partial() {
    const auto view = t.store().view(*Tenant::parse("acme"), {});
    REQUIRE(view);
    return view->partial.size();
  }
  uint64_t in_head() { return t.store().stats().head_profiles; }
};

/// What a store may do first when the bucket is back.
enum class First { seal, step, compact, compact_step };

void do_first(StoreUnderTest& t, First first) {
  t.clock().advance(2 * kMinute);
  switch (first) {
    case First::seal:
      REQUIRE(t.store().seal());
      break;
    case First::step:
      REQUIRE(t.store().step());
      break;
    case First::compact:
      REQUIRE(t.store().compact(true, {}));
      break;
    case First::compact_step:
      REQUIRE(t.store().compact_step({}));
      break;
  }
}

TEST_CASE("an older database that starts while the bucket is away counts each profile once",
          "[store]") {
  const QuietLog quiet;
  const auto first = GENERATE(First::seal, First::step, First::compact, First::compact_step);
  const int merged = GENERATE(0, 1, 2);  // Since the copy: not, into hours, into days.
  Away a;
  a.append(6);
  a.start_older([&] {
    REQUIRE(a.t.store().seal());
    if (merged > 0) REQUIRE(a.t.store().compact(merged == 2, {}));
    a.append(3);
    REQUIRE(a.t.store().seal());
  });
  CHECK(a.in_head() == 6);
  CHECK(a.partial() > 0);
  CHECK_FALSE(a.t.store().stats().compared);
  a.append(2);
  a.away = false;
  do_first(a.t, first);
  CHECK(a.t.store().stats().compared);
  CHECK(a.in_head() == (first == First::seal || first == First::step ? 0 : 2));
  a.t.check();
  a.append(2);
  REQUIRE(a.t.reopen());
  a.t.check();
  REQUIRE(a.t.store().seal());
  REQUIRE(a.t.store().compact(true, {}));
  a.t.check();
  REQUIRE(a.t.reopen());
  a.t.check();
}

TEST_CASE("nothing of the head is sealed before it was compared with the bucket", "[store]") {
  const QuietLog quiet;
  Away a;
  a.append(4);
  a.start_older([&] { REQUIRE(a.t.store().seal()); });
  // Puts and reads work again, listings do not yet.
  a.away = false;
  a.bucket->watch([](std::string_view call, const std::string&, bool) {
    return call == "list" ? MemoryBucket::Fault::refused : MemoryBucket::Fault::none;
  });
  const auto objects = a.bucket->keys("l0/");
  CHECK_FALSE(a.t.store().seal());
  CHECK_FALSE(a.t.store().compact(true, {}));
  CHECK(a.bucket->keys("l0/") == objects);
  a.bucket->watch({});
  // What waits was cut by the seal that failed; the bucket has all of it.
  CHECK(a.t.store().seal().value() == 0);
  CHECK(a.bucket->keys("l0/") == objects);
  CHECK(a.in_head() == 0);
  a.t.check();
  a.append(1);
  CHECK(a.t.store().seal().value() == 1);
  a.t.check();
}

TEST_CASE("with --ack object a seal that the bucket had already does not stop profiles",
          "[store]") {
  const QuietLog quiet;
  Away a;
  a.append(4);
  a.t.options().ack_object = true;
  a.start_older([&] { REQUIRE(a.t.store().seal()); });
  CHECK_FALSE(a.t.store().seal());
  CHECK(a.t.store().not_ready_reason());
  a.away = false;
  REQUIRE(a.t.store().seal());
  CHECK_FALSE(a.t.store().not_ready_reason());
  a.t.options().ack_object = false;
  a.t.check();
}

TEST_CASE("a view that was taken before the comparison stays as it is", "[store]") {
  const QuietLog quiet;
  Away a;
  a.append(4);
  a.start_older([&] { REQUIRE(a.t.store().seal()); });
  const auto view = a.t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  a.away = false;
  REQUIRE(a.t.store().seal());
  CHECK(a.in_head() == 0);
  std::map<Id128, test::PlainProfile> seen;
  for (const auto& dataset : view->datasets) test::read_dataset("acme", *dataset, seen);
  CHECK(seen.size() == 4);
}

TEST_CASE("a seal that was cut short and merged since ends with a late comparison", "[store]") {
  const QuietLog quiet;
  const bool seals = GENERATE(false, true);
  Away a;
  a.append(4);
  a.t.kv().fail_write(2);  // The intent is there, the segment does not go live.
  CHECK_FALSE(a.t.store().seal());
  a.start_older([&] {
    REQUIRE(a.t.reopen());
    REQUIRE(a.t.store().seal());
    REQUIRE(a.t.store().compact(true, {}));
  });
  CHECK(a.in_head() == 4);
  a.append(1);
  a.away = false;
  if (seals) REQUIRE(a.t.store().seal());
  if (!seals) REQUIRE(a.t.store().compact(true, {}));
  CHECK(a.in_head() == (seals ? 0 : 1));
  a.t.check();
  REQUIRE(a.t.reopen());
  a.t.check();
}

TEST_CASE("a crash while a late comparison is recorded counts each profile once", "[store]") {
  const QuietLog quiet;
  const bool survives = GENERATE(false, true);
  Away a;
  a.append(5);
  a.start_older([&] { REQUIRE(a.t.store().seal()); });
  a.away = false;
  a.t.kv().fail_write(1, survives);
  CHECK_FALSE(a.t.store().compact(true, {}));
  CHECK(a.t.stopped());
  REQUIRE(a.t.reopen());
  a.t.check();
}

TEST_CASE("rows of a database that is no older stay when the bucket comes back", "[store]") {
  const QuietLog quiet;
  Away a;
  a.append(3);
  a.away = true;
  REQUIRE(a.t.reopen());
  a.append(2);
  a.away = false;
  a.t.clock().advance(kMinute);
  REQUIRE(a.t.store().compact_step({}));
  CHECK(a.in_head() == 5);
  a.t.check();
  CHECK(a.t.store().seal().value() == 5);
  a.t.check();
}

}  // namespace
}  // namespace hearth::storage
