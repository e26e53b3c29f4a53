#include "base/periodic_thread.h"

#include <future>

#include "support/catch.h"

using namespace hearth;

namespace {

constexpr std::chrono::nanoseconds kSoon{1};
constexpr std::chrono::hours kNever{24};

}  // namespace

TEST_CASE("a periodic thread goes on until its step says no", "[base]") {
  std::promise<void> third;
  int calls = 0;
  const PeriodicThread thread({.name = "test", .interval = kSoon}, [&] {
    if (++calls < 3) return true;
    third.set_value();
    return false;
  });
  CHECK(third.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
}

TEST_CASE("a periodic thread's first step waits for an interval unless it is asked for at once",
          "[base]") {
  std::promise<void> called;
  {
    const PeriodicThread at_once({.name = "test", .interval = kNever, .at_once = true}, [&] {
      called.set_value();
      return true;
    });
    CHECK(called.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  }
  int calls = 0;
  {
    const PeriodicThread later({.name = "test", .interval = kNever}, [&] { return ++calls > 0; });
  }
  CHECK(calls == 0);
}

TEST_CASE("the end of a periodic thread waits for a running step and wakes a waiting one",
          "[base]") {
  std::promise<void> running, go_on;
  int calls = 0;
  {
    const PeriodicThread thread({.name = "test", .interval = kNever, .at_once = true}, [&] {
      running.set_value();
      go_on.get_future().wait();
      return ++calls > 0;
    });
    running.get_future().wait();
    go_on.set_value();
  }
  CHECK(calls == 1);
}
