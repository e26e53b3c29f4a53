#include "base/decimal.h"

#include <random>
#include <string>

#include "support/catch.h"

using namespace hearth;

namespace {
std::string decimal(int64_t number) {
  char text[kDecimalBytes];
  return {text, write_decimal(text, number)};
}
}  // namespace

TEST_CASE("numbers around each power of ten are written as std::to_string writes them", "[base]") {
  for (int64_t power = 1; power <= INT64_MAX / 10; power *= 10) {
    for (const int64_t number : {power - 1, power, power + 1, 9 * power, 5 * power + 3}) {
      REQUIRE(decimal(number) == std::to_string(number));
      REQUIRE(decimal(-number) == std::to_string(-number));
    }
  }
  CHECK(decimal(INT64_MAX) == "9223372036854775807");
  CHECK(decimal(INT64_MIN) == "-9223372036854775808");
}

TEST_CASE("numbers of any length are written as std::to_string writes them", "[base]") {
  std::mt19937_64 random(7);
  for (int i = 0; i < 100'000; ++i) {
    const auto number = static_cast<int64_t>(random() >> random() % 64);
    REQUIRE(decimal(number) == std::to_string(number));
  }
}
