#include "base/parallel.h"

#include <atomic>
#include <mutex>
#include <set>
#include <vector>

#include "base/worker_pool.h"
#include "support/catch.h"

using namespace hearth;

TEST_CASE("every index is visited once, by as many threads as there are", "[base]") {
  WorkerPool pool({.name = "helpers", .threads = 3});
  for (const size_t helpers : {0U, 1U, 3U}) {
    std::vector<std::atomic<int>> visits(1000);
    std::atomic<size_t> worker_max = 0;
    parallel_for(&pool, helpers, visits.size(), [&](size_t worker, size_t i) {
      ++visits[i];
      for (size_t seen = worker_max;
           worker > seen && !worker_max.compare_exchange_weak(seen, worker);) {
      }
    });
    for (const auto& v : visits) REQUIRE(v == 1);
    CHECK(worker_max <= helpers);
  }
}

TEST_CASE("a pool that never runs its tasks leaves all work to the caller", "[base]") {
  class Late final : public Executor {
   public:
    bool try_submit(std::function<void()> task) override {
      tasks.push_back(std::move(task));
      return true;
    }
    std::vector<std::function<void()>> tasks;
  } late;
  int visits = 0;
  parallel_for(&late, 2, 5, [&](size_t worker, size_t) {
    CHECK(worker == 0);
    ++visits;
  });
  CHECK(visits == 5);
  CHECK(late.tasks.size() == 2);
  // What starts after the end must not touch the caller's stack.
  for (auto& task : late.tasks) task();
  CHECK(visits == 5);
}

TEST_CASE("callers that are tasks of the pool themselves do not wait for each other", "[base]") {
  std::atomic<int> visits = 0;
  {
    WorkerPool pool({.name = "busy", .threads = 2});
    for (int query = 0; query < 20; ++query) {
      REQUIRE(
          pool.try_submit([&] { parallel_for(&pool, 2, 10, [&](size_t, size_t) { ++visits; }); }));
    }
  }
  CHECK(visits == 200);
}
