#include "storage/commit_queue.h"

#include <semaphore>
#include <thread>

#include "base/worker_pool.h"
#include "storage/name_table.h"
#include "support/catch.h"
#include "support/model_kv_store.h"

namespace hearth::storage {
namespace {

/// Lets a test hold a write up, and remembers the sizes of the groups.
class SlowStore final : public KvStore {
 public:
  std::counting_semaphore<> entered{0}, go_on{0};
  std::vector<size_t> groups;
  using KvStore::write;
  Status write(std::span<const KvBatch* const> batches, bool) override {
    groups.push_back(batches.size());
    entered.release();
    go_on.acquire();
    return {};
  }
  Result<std::optional<std::string>> get(KvFamily, std::string_view) const override {
    return std::nullopt;
  }
  Status scan(KvFamily, std::string_view, std::string_view, const Visit&) const override {
    return {};
  }
  Status flush_all(uint64_t /*log_bytes_min*/) override { return {}; }
  LogDamage log_damage() const override { return {}; }
  Status close() override { return {}; }
};

struct Recorded final : PendingWrite {
  Recorded(int n, std::vector<int>& order_) : number(n), order(order_) {
    batch.put(KvFamily::head, "k" + std::to_string(n), "v");
  }
  void publish() override { order.push_back(number); }
  int number;
  std::vector<int>& order;
};

TEST_CASE("what waits while a write runs goes together in the next, published in order",
          "[commit_queue]") {
  SlowStore store;
  CommitQueue queue(store, inline_executor(), [](const Error&) { FAIL("no failure here"); });
  std::vector<int> order;
  std::vector<std::unique_ptr<Recorded>> writes;
  for (int i = 0; i < 6; ++i) writes.push_back(std::make_unique<Recorded>(i, order));
  PendingWrite barrier;
  queue.enqueue(*writes[0]);
  std::jthread first([&] { CHECK(queue.wait(*writes[0])); });
  store.entered.acquire();
  for (size_t i = 1; i < 6; ++i) queue.enqueue(*writes[i]);
  queue.enqueue(barrier);
  std::vector<std::jthread> others;
  // Waiting in another order than they were queued.
  for (size_t i = 5; i >= 1; --i) others.emplace_back([&, i] { CHECK(queue.wait(*writes[i])); });
  others.emplace_back([&] {
    CHECK(queue.wait(barrier));
    CHECK(order.size() == 6);
  });
  store.go_on.release(2);
  others.clear();
  first.join();
  CHECK(store.groups == std::vector<size_t>{1, 5});
  CHECK(order == std::vector<int>{0, 1, 2, 3, 4, 5});
  CHECK(queue.groups() == 2);
}

/// Tells how it ended; nobody waits for it.
struct Told final : PendingWrite {
  Told(int number, std::vector<int>& ended) : number_(number), ended_(ended) {
    batch.put(KvFamily::head, "k" + std::to_string(number), "v");
  }

 private:
  void done(const Status& status) override {
    ended_.push_back(status ? number_ : -number_);
    delete this;
  }
  int number_;
  std::vector<int>& ended_;
};

TEST_CASE("a write that nobody waits for is told of its end by the thread that leads",
          "[commit_queue]") {
  SlowStore store;
  std::vector<int> ended;
  WorkerPool leader({.name = "commit", .threads = 1, .queue_max = 4});
  {
    CommitQueue queue(store, leader, [](const Error&) { FAIL("no failure here"); });
    queue.enqueue(*new Told(1, ended));
    queue.start();
    store.entered.acquire();
    for (int i = 2; i < 6; ++i) {
      queue.enqueue(*new Told(i, ended));
      queue.start();
    }
    PendingWrite waited;
    queue.enqueue(waited);
    store.go_on.release(2);
    CHECK(queue.wait(waited));
    // Told before who waits, as they were queued before.
    CHECK(ended == std::vector{1, 2, 3, 4, 5});
    CHECK(store.groups == std::vector<size_t>{1, 4});
    queue.enqueue(*new Told(6, ended));
    queue.start();
    store.go_on.release();
  }
  // The queue does not end before what it took.
  CHECK(ended.back() == 6);
}

TEST_CASE("a group is of bounded size, and of one write at least", "[commit_queue]") {
  const std::string half(size_t{15} << 20U, 'v');
  const std::string more(size_t{40} << 20U, 'v');
  SlowStore store;
  std::vector<int> ended;
  WorkerPool leader({.name = "commit", .threads = 1, .queue_max = 4});
  CommitQueue queue(store, leader, [](const Error&) { FAIL("no failure here"); });
  const auto enqueue = [&](int number, const std::string& value) {
    auto* const write = new Told(number, ended);
    write->batch.put(KvFamily::head, "v", value);
    queue.enqueue(*write);
  };
  enqueue(1, "");
  queue.start();
  store.entered.acquire();
  int number = 2;
  for (const std::string* value : {&half, &half, &half, &more, &half}) enqueue(number++, *value);
  CHECK(queue.queued() == 5);
  store.go_on.release(5);
  queue.drain();
  CHECK(store.groups == std::vector<size_t>{1, 2, 1, 1, 1});
  CHECK(ended == std::vector{1, 2, 3, 4, 5, 6});
  CHECK(queue.queued() == 0);
}

TEST_CASE("who waits hears of a failed write before the process is ended", "[commit_queue]") {
  test::ModelKvStore store(std::make_shared<test::ModelKvDisk>());
  std::vector<int> ended;
  size_t told = 0;
  CommitQueue queue(store, inline_executor(), [&](const Error&) { told = ended.size(); });
  store.fail_write(1);
  store.on_write([&] { queue.enqueue(*new Told(2, ended)); });
  queue.enqueue(*new Told(1, ended));
  queue.start();
  CHECK(ended == std::vector{-1, -2});
  CHECK(told == 2);
}

TEST_CASE("after a failed write nothing is published and everyone hears of it", "[commit_queue]") {
  test::ModelKvStore store(std::make_shared<test::ModelKvDisk>());
  int failures = 0;
  CommitQueue queue(store, inline_executor(), [&](const Error&) { ++failures; });
  std::vector<int> order;
  Recorded one(1, order);
  Recorded two(2, order);
  Recorded three(3, order);
  REQUIRE(queue.commit(one));
  store.fail_write(1);
  queue.enqueue(two);
  queue.enqueue(three);
  std::vector<int> ended;
  queue.enqueue(*new Told(9, ended));
  CHECK(queue.wait(two).error().code == ErrorCode::unavailable);
  CHECK(queue.wait(three).error().code == ErrorCode::unavailable);
  store.fail_write(0);
  Recorded four(4, order);
  CHECK(queue.commit(four).error().code == ErrorCode::unavailable);
  CHECK(order == std::vector<int>{1});
  CHECK(ended == std::vector{-9});
  CHECK(failures == 1);
  CHECK_FALSE(store.get(KvFamily::head, "k4")->has_value());
}

TEST_CASE("a name keeps its number, two names never share one", "[commit_queue]") {
  auto disk = std::make_shared<test::ModelKvDisk>();
  MemoryAccountant memory(size_t{1} << 20U);
  uint32_t a = 0;
  {
    test::ModelKvStore store(disk);
    CommitQueue queue(store, inline_executor(), [](const Error&) {});
    NameTable names(NameKind::service, queue, memory);
    NameTable tenants(NameKind::tenant, queue, memory);
    a = *names.number("a");
    CHECK(*names.number("a") == a);
    CHECK(*names.number("b") != a);
    CHECK(*names.number("") != a);
    CHECK(*tenants.number("a") == 1);
    CHECK(*names.name(a) == "a");
    CHECK(names.name(999) == nullptr);
  }
  test::ModelKvStore store(disk);
  CommitQueue queue(store, inline_executor(), [](const Error&) {});
  NameTable names(NameKind::service, queue, memory);
  REQUIRE(names.load(store));
  CHECK(*names.number("a") == a);
  CHECK(*names.name(a) == "a");
  CHECK(*names.number("c") == 4);
}

TEST_CASE("many new names cost a durable write a mebibyte, and memory that is accounted",
          "[commit_queue]") {
  test::ModelKvStore store(std::make_shared<test::ModelKvDisk>());
  CommitQueue queue(store, inline_executor(), [](const Error&) {});
  MemoryAccountant memory(size_t{8} << 20U);
  NameTable names(NameKind::service, queue, memory);
  const auto some = [](char letter, size_t n, size_t bytes) {
    std::vector<std::string> out;
    for (size_t i = 0; i < n; ++i) out.push_back(std::to_string(i) + std::string(bytes, letter));
    return out;
  };
  const auto views = [](const std::vector<std::string>& of) {
    return std::vector<std::string_view>(of.begin(), of.end());
  };
  const auto few = some('a', 500, 10);
  REQUIRE(names.add(views(few)));
  CHECK(store.writes() == 1);
  REQUIRE(names.add(views(few)));
  CHECK(*names.number(few[7]) == 8);
  CHECK(store.writes() == 1);
  CHECK(memory.used() > 500 * 10);
  const auto long_ones = some('b', 1500, 2000);
  REQUIRE(names.add(views(long_ones)));
  CHECK(store.writes() == 4);
  const auto too_many = some('c', 5000, 2000);
  CHECK(names.add(views(too_many)).error().code == ErrorCode::unavailable);
  CHECK(memory.used() < memory.limit());
  // Those that were given before memory ended are as good as any.
  CHECK(*names.name(*names.number(too_many[0])) == too_many[0]);
}

}  // namespace
}  // namespace hearth::storage
