// Fails every durable step of a store once, and looks at what is there after a restart.
#include <functional>

#include "support/catch.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::QuietLog;
using test::StoreUnderTest;

constexpr int64_t kSecond = 1'000'000'000;

/// Appends, seals, epochs that end, new services: every kind of write at least twice. A step that
/// fails is what it is; when the store stopped, the story ends.
void live(StoreUnderTest& t) {
  const auto pass = [&](const Status&) { return !t.stopped(); };
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 3; ++i) {
      if (!pass(t.append("acme", "svc" + std::to_string(i % 2 + round), "p"))) return;
    }
    const auto sealed = t.store().seal();
    if (t.stopped()) return;
    if (!pass(t.append("anonymous", "svc", "p"))) return;
    t.clock().advance((round == 1 ? 3600 : 61) * kSecond);
    if (!pass(t.store().step())) return;
    // Hours that are over, then everything.
    if (!pass(t.store().compact_step({}))) return;
    const auto compacted = t.store().compact(round == 1, {});
    if (t.stopped()) return;
  }
}

TEST_CASE("whichever database write fails, nothing acknowledged is lost or doubled", "[fault]") {
  const QuietLog quiet;
  for (const bool survives : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      StoreUnderTest t(n);
      t.kv().fail_write(n, survives);
      live(t);
      const bool fired = t.kv().fired();
      INFO("write " << n << (survives ? ", applied all the same" : ""));
      CHECK(t.stopped() == fired);
      test::check_after_fault(t);
      if (!fired) {
        CHECK(n > 20);
        break;
      }
    }
  }
}

TEST_CASE("whichever file call fails, once or for good, nothing acknowledged is lost or doubled",
          "[fault]") {
  const QuietLog quiet;
  for (const bool sticky : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      StoreUnderTest t(n);
      t.files().arm(n, sticky);
      live(t);
      const bool fired = t.files().fired();
      t.files().arm(0);
      INFO("call " << n << (sticky ? " and all later ones" : ""));
      CHECK_FALSE(t.stopped());
      t.check();
      test::check_after_fault(t);
      if (!fired) {
        CHECK(n > 30);
        break;
      }
    }
  }
}

/// A directory with a segment, a seal in flight whose object is or is not there, and open rows.
void leave_traces(StoreUnderTest& t, bool uploaded) {
  REQUIRE(t.append("acme", "svc0", "p"));
  REQUIRE(t.store().seal());
  REQUIRE(t.append("acme", "svc1", "p"));
  REQUIRE(t.append("acme", "svc0", "p"));
  if (uploaded) {
    // Freeze is no write; the intent is the first, the batch that makes the segment live the
    // second.
    t.kv().fail_write(2);
  } else {
    t.files().set_read_only(true);
  }
  REQUIRE_FALSE(t.store().seal());
  t.files().set_read_only(false);
  t.kv().fail_write(0);
  if (!uploaded) REQUIRE(t.append("acme", "svc2", "p"));
}

TEST_CASE("a seal in flight is finished after a restart, its object there or not", "[fault]") {
  const QuietLog quiet;
  for (const bool uploaded : {false, true}) {
    StoreUnderTest t;
    leave_traces(t, uploaded);
    REQUIRE(t.reopen());
    t.check();
    const auto before = t.options().bucket->list("l0/", "", 100);
    CHECK(before->size() == (uploaded ? 2 : 1));
    REQUIRE(t.store().step());
    t.check();
    CHECK(t.store().stats().segments >= 2);
    if (uploaded) CHECK(t.options().bucket->list("l0/", "", 100)->size() == 2);
    REQUIRE(t.reopen());
    t.check();
  }
}

TEST_CASE("whichever write of a start fails, the next start works", "[fault]") {
  const QuietLog quiet;
  for (const bool uploaded : {false, true}) {
    for (const bool survives : {false, true}) {
      for (uint64_t n = 1;; ++n) {
        StoreUnderTest t(n);
        leave_traces(t, uploaded);
        const Status opened = t.reopen(n, survives);
        INFO("write " << n);
        if (opened) {
          const auto sealed = t.store().seal();
          const bool fired = t.kv().fired();
          test::check_after_fault(t);
          if (!fired) break;
        } else {
          test::check_after_fault(t);
        }
      }
    }
  }
}

TEST_CASE("whichever file call of a start fails, the next start works", "[fault]") {
  const QuietLog quiet;
  for (const bool uploaded : {false, true}) {
    for (uint64_t n = 1;; ++n) {
      StoreUnderTest t(n);
      leave_traces(t, uploaded);
      t.files().arm(n);
      const Status opened = t.reopen();
      if (opened) {
        const auto sealed = t.store().seal();
      }
      const bool fired = t.files().fired();
      t.files().arm(0);
      INFO("call " << n);
      test::check_after_fault(t);
      if (!fired) break;
    }
  }
}

}  // namespace
}  // namespace hearth::storage
