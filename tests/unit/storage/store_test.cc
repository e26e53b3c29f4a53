#include "storage/store.h"

#include <numeric>

#include "storage/keys.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::StoreUnderTest;

constexpr int64_t kSecond = 1'000'000'000;

size_t head_keys(StoreUnderTest& t, char prefix) {
  size_t n = 0;
  const std::string begin(1, prefix);
  REQUIRE(
      t.kv().scan(KvFamily::head, begin, prefix_end(begin), [&](auto, auto) { return ++n > 0; }));
  return n;
}

TEST_CASE("an acknowledged profile is seen at once, and after a crash", "[store]") {
  StoreUnderTest t;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(t.append(i % 3 == 0 ? "acme" : "anonymous", "svc" + std::to_string(i % 4), "pod"));
    t.check();
  }
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.acked() == 20);
}

TEST_CASE("a batch is not read any more when its rows are encoded, before they are durable",
          "[store]") {
  StoreUnderTest t;
  const LabelSet series = test::series_of("svc", "p");
  ProfileBatch batch = t.gen().next();
  std::vector<uint32_t> samples(batch.samples.size());
  std::iota(samples.begin(), samples.end(), 0);
  const AppendProfile profile{&series, &batch, samples, Id128{1, 1}};
  int released = 0;
  const auto release = [&] {
    ++released;
    CHECK(head_keys(t, 'R') == 0);
    batch = ProfileBatch();
  };
  const std::span<const AppendProfile> profiles(&profile, 1);
  uint64_t stored = 0;
  const auto done = [&](const Result<AppendOutcome>& outcome) { stored += outcome->stored; };
  CHECK(t.store().append_later(Tenant::anonymous(), profiles, release, done));
  CHECK(released == 1);
  CHECK(stored == 1);
  CHECK(head_keys(t, 'R') == 1);
  CHECK_FALSE(t.store().append_later(Tenant::anonymous(), profiles, release, done));
  CHECK(released == 1);
  CHECK(stored == 1);
}

TEST_CASE("sealing moves profiles into a segment without a change of what is seen", "[store]") {
  StoreUnderTest t;
  for (int i = 0; i < 10; ++i) REQUIRE(t.append("acme", "svc" + std::to_string(i % 2), "p"));
  CHECK(t.store().seal().value() == 10);
  t.check();
  CHECK(t.store().stats().segments == 1);
  CHECK(t.store().stats().head_profiles == 0);
  CHECK(head_keys(t, 'R') == 0);
  CHECK(head_keys(t, 'I') == 0);
  CHECK(t.store().seal().value() == 0);
  CHECK(t.store().stats().segments == 1);
  REQUIRE(t.append("acme", "svc0", "p"));
  t.check();
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.store().seal().value() == 1);
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.store().stats().segments == 2);
}

TEST_CASE("rows after a seal use symbols from before it, also after a crash", "[store]") {
  StoreUnderTest t;
  const ProfileBatch batch = t.gen().next();
  const LabelSet series = test::series_of("svc", "p");
  REQUIRE(t.append_batch("acme", series, batch, Id128{1, 1}));
  REQUIRE(t.store().seal());
  REQUIRE(t.append_batch("acme", series, batch, Id128{1, 2}));
  CHECK(head_keys(t, 'D') == 1);
  REQUIRE(t.reopen());
  t.check();
  REQUIRE(t.store().seal());
  t.check();
  CHECK(head_keys(t, 'D') == 0);
}

TEST_CASE("a repeated profile counts once: in a request, in the window, after a crash", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  CHECK(t.retry_last()->duplicates == 1);
  REQUIRE(t.reopen());
  CHECK(t.retry_last()->duplicates == 1);
  REQUIRE(t.store().seal());
  CHECK(t.retry_last()->duplicates == 1);
  t.check();
  const ProfileBatch batch = t.gen().next();
  const LabelSet series = test::series_of("svc", "p");
  const std::vector<uint32_t> samples{0, 1};
  const AppendProfile same{&series, &batch, samples, Id128{7, 7}};
  const AppendProfile twice[] = {same, same};
  const auto outcome = t.store().append(*Tenant::parse("acme"), twice);
  REQUIRE(outcome);
  CHECK(outcome->stored == 1);
  CHECK(outcome->duplicates == 1);
  const auto other = t.store().append(*Tenant::parse("other"), std::span(twice, 1));
  CHECK(other->stored == 1);
}

TEST_CASE("a request of many new services costs two durable writes", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  std::vector<LabelSet> series;
  for (int i = 0; i < 100; ++i) series.push_back(test::series_of("new" + std::to_string(i), "p"));
  const ProfileBatch batch = t.gen().next();
  const std::vector<uint32_t> samples{0, 1};
  std::vector<AppendProfile> profiles;
  for (const LabelSet& labels : series) profiles.push_back({&labels, &batch, samples, {}});
  const uint64_t before = t.kv().writes();
  REQUIRE(t.store().append(*Tenant::parse("acme"), profiles));
  CHECK(t.kv().writes() - before == 2);
  CHECK(test::read_all(t.store(), *Tenant::parse("acme")).size() == 101);
}

TEST_CASE("profiles without an id are never taken for each other", "[store]") {
  StoreUnderTest t;
  const ProfileBatch batch = t.gen().next();
  for (int i = 0; i < 3; ++i) {
    REQUIRE(t.append_batch("acme", test::series_of("s", "p"), batch, std::nullopt));
  }
  CHECK(test::read_all(t.store(), *Tenant::parse("acme")).size() == 3);
}

TEST_CASE("the retry window forgets after its time and its keys are deleted", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  for (int i = 0; i < 15; ++i) {
    t.clock().advance(61 * kSecond);
    REQUIRE(t.store().step());
  }
  CHECK(t.retry_last()->duplicates == 1);
  t.clock().advance(61 * kSecond);
  REQUIRE(t.store().step());
  CHECK(t.retry_last()->stored == 1);
  REQUIRE(t.store().seal());
  size_t keys = 0;
  REQUIRE(t.kv().scan(KvFamily::meta, kRetryPrefix, prefix_end(kRetryPrefix),
                      [&](auto, auto) { return ++keys > 0; }));
  CHECK(keys == 1);
}

TEST_CASE("a wall clock that jumps changes nothing", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  for (const int64_t jump :
       {int64_t{10} * 365 * 86'400 * kSecond, int64_t{-20} * 365 * 86'400 * kSecond}) {
    t.clock().jump_wall(jump);
    REQUIRE(t.store().step());
    CHECK(t.retry_last()->duplicates == 1);
    REQUIRE(t.reopen());
    CHECK(t.retry_last()->duplicates == 1);
    t.check();
  }
}

TEST_CASE("a view holds what its range and service select", "[store]") {
  StoreUnderTest t;
  const Tenant acme = *Tenant::parse("acme");
  for (const bool sealed : {false, true}) {
    if (sealed) REQUIRE(t.store().seal());
    if (!sealed) {
      for (int i = 0; i < 4; ++i) {
        ProfileBatch batch = t.gen().next();
        batch.time_ns = 1000 + (i / 2) * 1000;
        REQUIRE(t.append_batch("acme", test::series_of(i % 2 == 0 ? "a" : "b", "p"), batch,
                               Id128{9, static_cast<uint64_t>(i)}));
      }
    }
    CHECK(test::read_all(t.store(), acme).size() == 4);
    CHECK(test::read_all(t.store(), acme, {.service = "a"}).size() == 2);
    CHECK(test::read_all(t.store(), acme, {.service = "absent"}).empty());
    CHECK(test::read_all(t.store(), acme, {.t_min_ns = 2001, .service = {}}).empty());
    CHECK(test::read_all(t.store(), acme, {.t_max_ns = 999, .service = {}}).empty());
    CHECK(test::read_all(t.store(), *Tenant::parse("other")).empty());
    CHECK(t.store()
              .view(acme, {.t_min_ns = 2000, .t_max_ns = 2000, .service = {}})
              ->datasets.size() == 2);
  }
}

TEST_CASE("a view does not change while profiles come and seals run", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  REQUIRE(t.append("acme", "svc", "p"));
  std::map<Id128, test::PlainProfile> seen;
  for (const auto& dataset : view->datasets) test::read_dataset("acme", *dataset, seen);
  CHECK(seen.size() == 1);
}

TEST_CASE("a step seals when the head is old or big enough", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().step());
  CHECK(t.store().stats().seals_total == 0);
  t.clock().advance(60 * kSecond);
  REQUIRE(t.store().step());
  CHECK(t.store().stats().seals_total == 1);
  t.options().seal_bytes = 1;
  REQUIRE(t.reopen());
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().step());
  CHECK(t.store().stats().seals_total == 1);
  t.check();
}

TEST_CASE("a step seals what came in an hour that is over, a minute after its end", "[store]") {
  constexpr int64_t kHour = 3600 * kSecond;
  StoreUnderTest t;
  t.options().seal_interval_ns = 2 * kHour;
  REQUIRE(t.reopen());
  const int64_t to_the_end_ns = kHour - t.clock().wall_ns() % kHour;
  t.clock().advance(to_the_end_ns - 1);
  REQUIRE(t.append("acme", "svc", "p"));
  t.clock().advance(60 * kSecond);
  REQUIRE(t.store().step());
  CHECK(t.store().stats().seals_total == 0);
  t.clock().advance(1);
  REQUIRE(t.store().step());
  CHECK(t.store().stats().seals_total == 1);
  REQUIRE(t.append("acme", "svc", "p"));
  t.clock().advance(kHour - 60 * kSecond - 1);
  REQUIRE(t.store().step());
  CHECK(t.store().stats().seals_total == 1);
  t.check();
}

TEST_CASE("an epoch ends after its time, and its deltas go with its last rows", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  t.clock().advance(3600 * kSecond);
  REQUIRE(t.append("acme", "svc", "p"));
  CHECK(head_keys(t, 'D') == 2);
  t.check();
  REQUIRE(t.store().seal());
  CHECK(head_keys(t, 'D') == 1);
  t.clock().advance(3600 * kSecond);
  REQUIRE(t.store().step());
  REQUIRE(t.store().step());
  CHECK(head_keys(t, 'D') == 0);
  CHECK(t.store().stats().head_dictionaries == 0);
  t.check();
}

TEST_CASE("small values are durable and kept apart by kind and tenant", "[store]") {
  StoreUnderTest t;
  const Tenant a = *Tenant::parse("a");
  REQUIRE(t.store().meta_put("settings", a, "x", "1"));
  REQUIRE(t.reopen());
  CHECK(t.store().meta_get("settings", a, "x")->value() == "1");
  CHECK_FALSE(t.store().meta_get("settings", *Tenant::parse("b"), "x")->has_value());
  CHECK_FALSE(t.store().meta_get("links", a, "x")->has_value());
}

}  // namespace
}  // namespace hearth::storage
