#include "base/worker_pool.h"

#include <chrono>
#include <future>
#include <string>

#include "support/catch.h"

using namespace hearth;
using namespace std::chrono_literals;

namespace {

/// The order in which a pool of one thread runs three tasks that waited `waited` when it became
/// free.
std::string order_of_three(std::chrono::milliseconds newest_first_for,
                           std::chrono::milliseconds waited) {
  std::string order;  // Written by the pool's thread only, read after its end.
  std::promise<void> begun, go_on;
  {
    WorkerPool pool({.name = "test", .threads = 1, .newest_first_for = newest_first_for});
    const auto busy = [&] {
      begun.set_value();
      go_on.get_future().wait();
    };
    REQUIRE(pool.try_submit(busy));
    begun.get_future().wait();
    for (const char task : {'a', 'b', 'c'})
      REQUIRE(pool.try_submit([&order, task] { order += task; }));
    const auto submitted = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - submitted < waited) {
    }
    go_on.set_value();
  }
  return order;
}

}  // namespace

TEST_CASE("a pool runs tasks in the order in which they came", "[base]") {
  CHECK(order_of_three(0ms, 0ms) == "abc");
}

TEST_CASE("the newest task goes first while none has waited for long", "[base]") {
  CHECK(order_of_three(1h, 0ms) == "cba");
}

TEST_CASE("tasks that have waited for long go first, the oldest before the others", "[base]") {
  CHECK(order_of_three(2ms, 3ms) == "abc");
}
