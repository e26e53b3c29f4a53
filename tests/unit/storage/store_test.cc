#include "storage/store.h"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "base/log.h"
#include "storage/keys.h"
#include "support/moody_bucket.h"
#include "support/small_batch.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::StoreUnderTest;

struct QuietLog {
  QuietLog() {
    log::set_sink([](log::Level, std::string_view) {});
  }
  ~QuietLog() { log::set_sink({}); }
};

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

TEST_CASE("a catalog that is lost is rebuilt from the bucket", "[store]") {
  StoreUnderTest t;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.store().seal());
  }
  t.close();
  t.disk() = {};
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.store().stats().segments == 3);
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a damaged or missing segment costs itself and is told", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  const auto keys = t.options().bucket->list("l0/", "", 10);
  REQUIRE(keys->size() == 2);
  REQUIRE(t.options().bucket->put(keys->front().key, "not a segment"));
  REQUIRE(t.reopen());
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  CHECK(view->datasets.size() == 1);
  CHECK(view->partial.size() == 1);
  CHECK(t.store().stats().corrupt_objects_total == 1);
}

TEST_CASE("above the cap of unsealed bytes appends are refused until a seal", "[store]") {
  StoreUnderTest t;
  t.options().unsealed_max_bytes = 1000;
  REQUIRE(t.reopen());
  Status status;
  for (int i = 0; i < 100 && status; ++i) status = t.append("acme", "svc", "p");
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unavailable);
  CHECK(t.store().not_ready_reason());
  REQUIRE(t.store().seal());
  CHECK_FALSE(t.store().not_ready_reason());
  REQUIRE(t.append("acme", "svc", "p"));
  t.check();
}

TEST_CASE("when dictionaries take too much, the coldest services begin anew", "[store]") {
  StoreUnderTest t;
  t.options().dictionary_max_bytes = 400'000;
  REQUIRE(t.reopen());
  const auto name = [](int i) { return "svc" + std::to_string(i); };
  int services = 0;
  while (t.store().stats().dictionary_bytes <= 300'000) {
    t.clock().advance(1);
    REQUIRE(t.append("acme", name(services++), "p"));
  }
  REQUIRE(t.store().step());  // Ends the coldest and, as they have rows, seals.
  const storage::StoreStats after = t.store().stats();
  CHECK(after.dictionary_bytes <= 200'000);
  CHECK(after.epochs_shed_total > 0);
  CHECK(after.head_dictionaries == static_cast<uint64_t>(services) - after.epochs_shed_total);
  CHECK(after.head_profiles == 0);
  // The warmest service still knows its symbols, the coldest does not.
  REQUIRE(t.append("acme", name(services - 1), "p"));
  CHECK(t.store().stats().head_dictionaries == after.head_dictionaries);
  REQUIRE(t.append("acme", name(0), "p"));
  CHECK(t.store().stats().head_dictionaries == after.head_dictionaries + 1);
  t.check();
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("at the limit of dictionaries appends are refused until a step", "[store]") {
  StoreUnderTest t;
  t.options().dictionary_max_bytes = 20'000;
  REQUIRE(t.reopen());
  Status status;
  for (int i = 0; i < 100 && status; ++i) status = t.append("acme", "s" + std::to_string(i), "p");
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unavailable);
  CHECK(t.store().not_ready_reason().value().find("symbol tables") != std::string::npos);
  REQUIRE(t.store().step());
  CHECK_FALSE(t.store().not_ready_reason());
  REQUIRE(t.append("acme", "late", "p"));
  t.check();
}

TEST_CASE("a disk that is nearly full refuses appends, serves queries, and resumes", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  const auto with_free = [&](uint64_t free) {
    t.files().set_space({free, 1000});
    REQUIRE(t.store().step());
    return !t.store().not_ready_reason().has_value();
  };
  CHECK_FALSE(with_free(99));
  CHECK(t.append("acme", "svc", "p").error().code == ErrorCode::unavailable);
  t.check();
  CHECK_FALSE(with_free(149));
  CHECK(with_free(150));
  CHECK(with_free(100));
  REQUIRE(t.append("acme", "svc", "p"));
}

TEST_CASE("without memory appends are refused and nothing is lost", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  {
    const MemoryCharge all = t.memory().must_charge(size_t{1} << 30U);
    CHECK(t.append("acme", "svc", "p").error().code == ErrorCode::unavailable);
  }
  // What the refused profile taught the dictionary must reach the disk with the next one.
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("memory is given back when the store is gone", "[store]") {
  StoreUnderTest t;
  for (int i = 0; i < 5; ++i) REQUIRE(t.append("acme", "svc", "p"));
  CHECK(t.memory().used() > 0);
  t.close();
  CHECK(t.memory().used() == 0);
}

TEST_CASE("a store that cannot write serves queries and says why it is not ready", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  REQUIRE(t.append("acme", "svc", "p"));
  t.set_query_only("read-only file system");
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.append("acme", "svc", "p").error().code == ErrorCode::unavailable);
  CHECK(t.store().not_ready_reason().value().find("read-only") != std::string::npos);
  CHECK_FALSE(t.store().seal());
  REQUIRE(t.store().step());
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

TEST_CASE("rows whose symbols were lost are left out and told, the others stay", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.append("acme", "other", "p"));
  std::string delta;
  REQUIRE(t.kv().scan(KvFamily::head, "D", "E", [&](std::string_view key, std::string_view) {
    delta = key;
    return false;
  }));
  t.close();
  t.disk().durable[static_cast<size_t>(KvFamily::head)].erase(delta);
  REQUIRE(t.reopen());
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  CHECK(view->partial.size() == 1);
  std::map<Id128, test::PlainProfile> seen;
  for (const auto& dataset : view->datasets) test::read_dataset("acme", *dataset, seen);
  CHECK(seen.size() == 1);
  CHECK(t.store().view(*Tenant::parse("another"), {})->partial.empty());
  CHECK(t.store().stats().quarantined_rows_total == 1);
  CHECK(t.store().seal().value() == 1);
}

TEST_CASE("a lost count of starts gives no generation or epoch a second time", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  auto& meta = t.disk().durable[static_cast<size_t>(KvFamily::meta)];
  const auto crash_without_count = [&] {
    t.close();
    REQUIRE(meta.erase(std::string(kStartCountKey)) == 1);
    REQUIRE(t.reopen());
  };
  REQUIRE(t.append("acme", "svc", "p"));
  crash_without_count();
  REQUIRE(t.append("acme", "svc", "p"));
  t.check();
  crash_without_count();
  t.check();
  REQUIRE(t.store().seal());
  t.check();
}

TEST_CASE("an intent or a delta alone tells of the start that wrote it", "[store]") {
  const QuietLog quiet;
  for (const bool intent : {false, true}) {
    StoreUnderTest t;
    KvBatch batch;
    const uint64_t number = uint64_t{41} << 32U;
    batch.put(KvFamily::head, intent ? intent_key(number) : DeltaKey{number, 0}.encode(), "?");
    REQUIRE(t.kv().write(batch, true));
    REQUIRE(t.reopen());
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.kv().scan(KvFamily::head, kRowPrefix, "", [&](std::string_view key, auto) {
      CHECK(RowKey::decode(key)->generation >= uint64_t{42} << 32U);
      CHECK(RowKey::decode(key)->epoch >= uint64_t{42} << 32U);
      return true;
    }));
  }
}

TEST_CASE("a number whose name was lost is never given to another name", "[store]") {
  const QuietLog quiet;
  for (const NameKind kind : {NameKind::tenant, NameKind::service}) {
    StoreUnderTest t;
    REQUIRE(t.append("lost", "lost", "p"));
    t.close();
    auto& meta = t.disk().durable[static_cast<size_t>(KvFamily::meta)];
    REQUIRE(meta.erase(name_key(kind, "lost")) == 1);
    REQUIRE(t.reopen());
    REQUIRE(t.append("other", "other", "p"));
    REQUIRE(t.reopen());
    const auto view = t.store().view(*Tenant::parse("other"), {});
    REQUIRE(view);
    CHECK(view->datasets.size() == 1);
    CHECK(t.store().stats().quarantined_rows_total == 1);
  }
}

TEST_CASE("what a damaged log lost is told in every answer, until the next start", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  t.disk().damage = {.bytes = 4096, .changes = 3};
  size_t errors = 0;
  log::set_sink([&](log::Level level, std::string_view) { errors += level == log::Level::error; });
  REQUIRE(t.reopen());
  log::set_sink({});
  CHECK(errors == 1);
  for (const char* tenant : {"acme", "another"}) {
    const auto view = t.store().view(*Tenant::parse(tenant), {});
    REQUIRE(view->partial.size() == 1);
    CHECK(view->partial[0].find("3 changes lost, 4096 bytes") != std::string::npos);
  }
  CHECK(t.store().stats().log_lost_changes == 3);
  CHECK(t.store().stats().log_dropped_bytes == 4096);
  t.disk().damage = {};
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("what one dataset cannot hold is sealed as several", "[store]") {
  StoreUnderTest t;
  // A dataset holds 65,536 mappings; these are 90,000.
  for (uint64_t p = 0; p < 3; ++p) {
    test::SmallBatch small;
    for (uint64_t m = 0; m < 30'000; ++m) {
      const std::string binary = std::to_string(p * 30'000 + m);
      small.sample({small.location({}, 16 + m, binary)}, {1});
    }
    small.at(static_cast<int64_t>(1000 + p));
    REQUIRE(
        t.append_batch("acme", test::series_of("svc", "p"), std::move(small.batch), Id128{5, p}));
  }
  REQUIRE(t.append("acme", "other", "p"));
  CHECK(t.store().seal().value() == 4);
  t.check();
  const auto view = t.store().view(*Tenant::parse("acme"), {.service = "svc"});
  CHECK(view->datasets.size() == 2);
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a profile that no segment can hold does not hold up the others' seal", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  std::vector<Label> labels{{"__name__", "process_cpu"}, {"service_name", "svc"}};
  for (int i = 0; i < 5000; ++i) labels.push_back({"l" + std::to_string(i), "v"});
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.append_batch("acme", *LabelSet::make(labels), t.gen().next(), Id128{5, 5}));
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  CHECK(t.store().stats().head_profiles == 0);
  CHECK(t.store().stats().seal_failures_total == 0);
  CHECK(t.store().stats().quarantined_rows_total == 1);
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  CHECK(view->partial.size() == 1);
  std::map<Id128, test::PlainProfile> seen;
  for (const auto& dataset : view->datasets) test::read_dataset("acme", *dataset, seen);
  CHECK(seen.size() == 2);
  CHECK(t.store().view(*Tenant::parse("other"), {})->partial.empty());
}

void use_moody_bucket(StoreUnderTest& t, const std::atomic<bool>& away) {
  t.set_bucket([&]() -> std::shared_ptr<ObjectStore> {
    return std::make_shared<test::MoodyBucket>(
        *objstore::open_local_store(t.files(), t.dir() / "bucket"), away);
  });
  REQUIRE(t.reopen());
}

TEST_CASE("what waits for the bucket is durable up to a limit, and drains in segments", "[store]") {
  StoreUnderTest t;
  int began = 0, ended = 0;
  log::set_sink([&](log::Level, std::string_view line) {
    began += line.find("cannot be sealed; profiles wait") != std::string_view::npos ? 1 : 0;
    ended += line.find("are sealed again") != std::string_view::npos ? 1 : 0;
  });
  std::atomic<bool> away = true;
  t.options().seal_bytes = 2'000;
  t.options().unsealed_max_bytes = 20'000;
  use_moody_bucket(t, away);
  Status status;
  for (int i = 0; i < 1'000 && status; ++i) {
    status = t.append("acme", "svc", "p");
    t.clock().advance(kSecond);
    REQUIRE(t.store().step());
  }
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::unavailable);
  CHECK(t.store().stats().seals_fail);
  CHECK(t.store().stats().seals_pending > 5);
  CHECK(t.store().stats().seal_failures_total > 1);
  t.check();
  REQUIRE(t.reopen());  // A crash in the outage.
  t.check();
  CHECK(t.store().not_ready_reason());
  CHECK(began == 1);
  away = false;
  REQUIRE(t.store().seal());
  CHECK_FALSE(t.store().not_ready_reason());
  CHECK(t.store().stats().seals_pending == 0);
  t.check();
  CHECK(ended == 0);  // The life that told the begin is over.
  away = true;
  REQUIRE(t.append("acme", "svc", "p"));
  CHECK_FALSE(t.store().seal());
  CHECK_FALSE(t.store().seal());
  for (int i = 0; i < 20; ++i) {
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.store().step());
  }
  const uint64_t pending = t.store().stats().seals_pending;
  CHECK(pending > 1);
  const uint64_t segments = t.store().stats().segments;
  away = false;
  t.clock().advance(100 * kSecond);
  REQUIRE(t.store().step());
  CHECK(t.store().stats().head_profiles == 0);
  CHECK(t.store().stats().segments >= segments + pending);
  CHECK_FALSE(t.store().stats().seals_fail);
  CHECK(began == 2);
  CHECK(ended == 1);
  t.check();
  log::set_sink({});
}

/// Steps in a thread of its own, as maintenance does.
class Stepper {
 public:
  explicit Stepper(StoreUnderTest& t)
      : thread_([this, &t] {
          while (!stop_) {
            t.clock().advance(kSecond / 10);
            (void)t.store().step();
            std::this_thread::yield();
          }
        }) {}
  ~Stepper() {
    stop_ = true;
    thread_.join();
  }
  Stepper(const Stepper&) = delete;
  Stepper& operator=(const Stepper&) = delete;

 private:
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

TEST_CASE("with ack=object an append is answered when its segment is in the bucket", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  std::atomic<bool> away = false;
  t.options().ack_object = true;
  use_moody_bucket(t, away);
  {
    const Stepper stepper(t);
    for (int i = 0; i < 5; ++i) {
      REQUIRE(t.append("acme", "svc", "p"));
      CHECK(t.store().stats().head_profiles == 0);
      CHECK(t.retry_last()->duplicates == 1);
    }
    away = true;
    const Status refused = t.append("acme", "svc", "p");
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::unavailable);
    CHECK(refused.error().reason == kBucketAway);
    CHECK(t.store().not_ready_reason());
    CHECK(t.append("acme", "svc", "p").error().reason == "not_ready");
    away = false;
    while (t.store().not_ready_reason()) std::this_thread::yield();
    REQUIRE(t.append("acme", "svc", "p"));
  }
  t.check();
  REQUIRE(t.reopen());
  CHECK(t.store().stats().head_profiles == 0);
  t.check();
}

TEST_CASE("quarantined rows do not count as waiting to be sealed", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  t.options().unsealed_max_bytes = t.store().stats().head_bytes;
  t.close();
  std::erase_if(t.disk().durable[static_cast<size_t>(KvFamily::head)],
                [](const auto& entry) { return entry.first[0] == 'D'; });
  REQUIRE(t.reopen());
  CHECK(t.store().not_ready_reason());
  REQUIRE(t.store().view(*Tenant::parse("acme"), {}));
  CHECK(t.store().stats().quarantined_rows_total == 1);
  CHECK_FALSE(t.store().not_ready_reason());
}

TEST_CASE("the disk reserve is given up when space ends, and taken again when it is back",
          "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const std::string reserve = t.dir() / "reserve";
  const auto held_at = [&](uint64_t free) {
    t.files().set_space({free, 1'000'000});
    REQUIRE(t.store().step());
    return std::filesystem::exists(reserve);
  };
  CHECK(held_at(500'000));
  CHECK(held_at(90'000));
  CHECK(t.store().not_ready_reason());
  CHECK(held_at(30'000));
  CHECK_FALSE(held_at(20'000));
  CHECK_FALSE(held_at(149'000));
  CHECK_FALSE(held_at(160'000));
  CHECK_FALSE(t.store().not_ready_reason());
  CHECK(held_at(210'000));
  REQUIRE(t.append("acme", "svc", "p"));
  t.check();
}

TEST_CASE("a second store on a directory is refused with the owner's name", "[store]") {
  const test::TempDir dir;
  MemoryAccountant memory(size_t{1} << 30U);
  Store::Options options;
  options.data_dir = dir.path();
  options.files = &posix_file_system();
  options.clock = &system_clock();
  options.random = &system_random();
  options.memory = &memory;
  options.bucket = *objstore::open_local_store(*options.files, dir / "bucket");
  auto first = Store::open(options);
  REQUIRE(first);
  const auto second = Store::open(options);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find("process " + std::to_string(getpid())) != std::string::npos);
  first->reset();
  CHECK(Store::open(options));
}

TEST_CASE("a read-only directory opens for queries", "[store]") {
  const QuietLog quiet;
  const test::TempDir dir;
  test::FaultyFileSystem files;
  MemoryAccountant memory(size_t{1} << 30U);
  Store::Options options;
  options.data_dir = dir.path();
  options.files = &files;
  options.clock = &system_clock();
  options.random = &system_random();
  options.memory = &memory;
  options.bucket = *objstore::open_local_store(files, dir / "bucket");
  REQUIRE(Store::open(options));
  files.set_read_only(true);
  auto store = Store::open(options);
  REQUIRE(store);
  CHECK((*store)->not_ready_reason().value().find("Read-only") != std::string::npos);
}

}  // namespace
}  // namespace hearth::storage
