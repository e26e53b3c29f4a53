// What is refused when space, memory or the bucket is short, and what waits.
#include "storage/store.h"

#include <atomic>
#include <filesystem>
#include <functional>
#include <numeric>
#include <thread>
#include <utility>

#include "base/executor.h"
#include "storage/keys.h"
#include "support/moody_bucket.h"
#include "support/quiet_log.h"
#include "support/small_batch.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::QuietLog;
using test::StoreUnderTest;

constexpr int64_t kSecond = 1'000'000'000;

/// A disk that stalls when it is held: what is to be committed waits until it is let go.
class HeldExecutor final : public Executor {
 public:
  bool try_submit(std::function<void()> task) override {
    if (held_) {
      tasks_.push_back(std::move(task));
    } else {
      task();
    }
    return true;
  }
  void hold() { held_ = true; }
  void let_go() {
    held_ = false;
    for (const auto& task : std::exchange(tasks_, {})) task();
  }

 private:
  bool held_ = false;
  std::vector<std::function<void()>> tasks_;
};

/// Sends small profiles to a store whose disk can be held.
struct HeldStore {
  HeldStore() {
    REQUIRE(t.append("anonymous", "svc", "p"));  // The names are known.
    t.options().commits = &disk;
    REQUIRE(t.reopen());
    std::iota(samples.begin(), samples.end(), 0);
  }
  Status send(uint64_t id) {
    const AppendProfile profile{&series, &batch, samples, Id128{2, id}};
    return t.store().append_later(
        Tenant::anonymous(), std::span(&profile, 1), {},
        [&](const Result<AppendOutcome>& outcome) { stored += outcome->stored; });
  }
  HeldExecutor disk;
  StoreUnderTest t;
  const LabelSet series = test::series_of("svc", "p");
  const ProfileBatch batch = t.gen().next();
  std::vector<uint32_t> samples = std::vector<uint32_t>(batch.samples.size());
  uint64_t stored = 0;
};

TEST_CASE("what waits for the disk is charged, and refused when memory ends", "[store]") {
  HeldStore held;
  MemoryAccountant& memory = held.t.memory();
  held.disk.hold();
  REQUIRE(held.send(1));
  const size_t waiting = memory.used();
  CHECK(held.stored == 0);
  held.disk.let_go();
  CHECK(held.stored == 1);
  CHECK(memory.used() < waiting);

  held.disk.hold();
  REQUIRE(held.send(2));
  const auto rest = memory.charge(memory.limit() / 100 * 85 - memory.used() - 200'000, "test");
  REQUIRE(rest);
  uint64_t taken = 1;
  while (taken < 1000 && held.send(2 + taken)) ++taken;
  CHECK(taken < 1000);
  CHECK(held.stored == 1);
  held.disk.let_go();
  CHECK(held.stored == 1 + taken);
}

TEST_CASE("only so many writes wait for the disk, retries among them", "[store]") {
  HeldStore held;
  held.disk.hold();
  for (uint64_t i = 0; i < 1024; ++i) REQUIRE(held.send(i % 2));
  const Status more = held.send(1);
  CHECK(more.error().code == ErrorCode::unavailable);
  CHECK(more.error().message.find("wait for the disk") != std::string::npos);
  held.disk.let_go();
  CHECK(held.stored == 2);
  CHECK(held.send(1));
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
  REQUIRE(t.store().step());
  const storage::StoreStats ended = t.store().stats();
  CHECK(ended.epochs_shed_total > 0);
  CHECK(ended.head_dictionaries == static_cast<uint64_t>(services) - ended.epochs_shed_total);
  REQUIRE(t.store().step());
  REQUIRE(t.store().seal());
  const storage::StoreStats after = t.store().stats();
  CHECK(after.dictionary_bytes <= 250'000);
  CHECK(after.epochs_shed_total == ended.epochs_shed_total);
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
  t.check(/*compared=*/false);
  REQUIRE(t.reopen());  // A crash in the outage.
  t.check(/*compared=*/false);
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

}  // namespace
}  // namespace hearth::storage
