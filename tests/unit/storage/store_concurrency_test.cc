// Appends, views and seals at the same time; also run under ThreadSanitizer.
#include <atomic>
#include <thread>

#include "base/worker_pool.h"
#include "storage/store_impl.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::StoreUnderTest;

constexpr int kWriters = 3;
constexpr int kPerWriter = 150;

uint64_t count_profiles(Store& store, const Tenant& tenant) {
  uint64_t n = 0;
  const auto view = store.view(tenant, {});
  if (!view || !view->partial.empty()) return UINT64_MAX;
  for (const auto& dataset : view->datasets) n += (*dataset->profiles())->size();
  return n;
}

void append_some(StoreUnderTest& t, int writer, std::atomic<uint64_t>& acked, bool retries) {
  test::ProfileGen gen(static_cast<uint64_t>(writer) + 1, {.samples = 5, .mean_depth = 4});
  for (int i = 0; i < kPerWriter; ++i) {
    const ProfileBatch batch = gen.next();
    const std::vector<uint32_t> samples{0, 1, 2};
    const LabelSet series = test::series_of("svc" + std::to_string(i % 3), "p");
    // With `retries` all writers send the same ids, in the same order.
    const Id128 id{retries ? 0 : static_cast<uint64_t>(writer) + 1, static_cast<uint64_t>(i)};
    const AppendProfile profile{&series, &batch, samples, id};
    const auto done = [&acked](const Result<AppendOutcome>& outcome) {
      if (outcome) acked += outcome->stored;
    };
    if (t.options().commits != nullptr) {
      (void)t.store().append_later(Tenant::anonymous(), std::span(&profile, 1), {}, done);
    } else {
      done(t.store().append(Tenant::anonymous(), std::span(&profile, 1)));
    }
  }
}

/// Until as many profiles are acknowledged as are wanted; those that wait for nobody come late.
void await(const std::atomic<uint64_t>& acked, uint64_t want) {
  for (int i = 0; i < 10'000 && acked < want; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void run(bool retries, uint64_t want, Executor* commits = nullptr) {
  StoreUnderTest t;
  t.options().commits = commits;
  t.options().epoch_max_nodes = 300;
  REQUIRE(t.reopen());
  std::atomic<uint64_t> acked = 0;
  std::atomic<bool> done = false;
  std::atomic<int> wrong_views = 0;
  std::atomic<uint64_t> views = 0;
  {
    std::jthread viewer([&] {
      for (uint64_t seen = 0; !done;) {
        const uint64_t before = acked;
        const uint64_t now = count_profiles(t.store(), Tenant::anonymous());
        if (now < before || now < seen || now > want) ++wrong_views;
        seen = now;
        ++views;
      }
    });
    std::jthread sealer([&] {
      while (!done) {
        if (!t.store().seal() || !t.store().step()) ++wrong_views;
        (void)t.store().stats();
      }
    });
    {
      std::vector<std::jthread> writers;
      for (int w = 0; w < kWriters; ++w) {
        writers.emplace_back([&, w] { append_some(t, w, acked, retries); });
      }
    }
    await(acked, want);
    done = true;
  }
  CHECK(wrong_views == 0);
  CHECK(views > 0);
  CHECK(acked == want);
  CHECK(count_profiles(t.store(), Tenant::anonymous()) == want);
  REQUIRE(t.reopen());
  CHECK(count_profiles(t.store(), Tenant::anonymous()) == want);
}

TEST_CASE("every profile is in each view exactly once while seals run", "[store][threads]") {
  run(/*retries=*/false, uint64_t{kWriters} * kPerWriter);
}

TEST_CASE("of concurrent retries exactly one counts", "[store][threads]") {
  run(/*retries=*/true, kPerWriter);
}

TEST_CASE("writers that do not wait lose and double nothing", "[store][concurrency]") {
  WorkerPool commits({.name = "commit", .threads = 1, .queue_max = 4});
  run(false, uint64_t{kWriters} * kPerWriter, &commits);
  run(true, kPerWriter, &commits);
}

}  // namespace
}  // namespace hearth::storage
