// Random histories of a store against a naive model of what it acknowledged.
#include "support/store_model.h"
#include "base/log.h"
#include "support/catch.h"

namespace hearth::storage {
namespace {

using test::Dice;
using test::StoreUnderTest;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int kHistories = 25;
constexpr int kSteps = 120;

std::string pick(Dice& dice, const char* prefix, uint64_t n) {
  return prefix + std::to_string(dice.below(n));
}

void forget_catalog(StoreUnderTest& t) {
  t.close();
  t.disk().durable[static_cast<size_t>(KvFamily::catalog)].clear();
}

/// One step of a history; `log` tells what was done, for the failure message.
void step(StoreUnderTest& t, Dice& dice, std::string& log) {
  const uint64_t choice = dice.below(100);
  if (choice < 55) {
    log += "append ";
    REQUIRE(t.append(pick(dice, "tenant", 2), pick(dice, "svc", 4), pick(dice, "pod", 3),
                     !dice.percent(10)));
  } else if (choice < 65 && t.has_last()) {
    log += "retry ";
    const auto outcome = t.retry_last();
    REQUIRE(outcome);
    CHECK(outcome->duplicates == 1);
  } else if (choice < 75) {
    log += "seal ";
    REQUIRE(t.store().seal());
  } else if (choice < 83) {
    log += "step ";
    t.clock().advance(static_cast<int64_t>(dice.below(50)) * kSecond);
    REQUIRE(t.store().step());
  } else if (choice < 85) {
    log += "compact ";
    t.clock().advance(static_cast<int64_t>(dice.below(7200)) * kSecond);
    t.forget_last();  // The window for retries may be over.
    REQUIRE(t.store().compact_step({}));
  } else if (choice < 87) {
    log += "force ";
    REQUIRE(t.store().compact(dice.percent(50), {}));
  } else if (choice < 89) {
    log += "epochs ";
    t.options().epoch_max_nodes = 1 + dice.below(200);
    REQUIRE(t.reopen());
  } else if (choice < 94) {
    log += "crash ";
    REQUIRE(t.reopen());
  } else if (choice < 96) {
    log += "forget ";
    forget_catalog(t);
    REQUIRE(t.reopen());
  } else {
    log += "check ";
    t.check();
  }
}

TEST_CASE("whatever happens, a store holds each acknowledged profile once and as it was sent",
          "[property]") {
  log::set_sink([](log::Level, std::string_view) {});
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    StoreUnderTest t(seed);
    Dice dice(seed);
    std::string history = "seed " + std::to_string(seed) + ": ";
    for (int i = 0; i < kSteps; ++i) {
      INFO(history);
      step(t, dice, history);
    }
    INFO(history);
    t.check();
    REQUIRE(t.reopen());
    t.check();
  }
  log::set_sink({});
}

}  // namespace
}  // namespace hearth::storage
