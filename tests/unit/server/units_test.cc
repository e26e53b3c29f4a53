#include "server/units.h"

#include "support/catch.h"

namespace hearth::server {
namespace {

TEST_CASE("sizes have units", "[server]") {
  CHECK(*parse_bytes("4096") == 4096);
  CHECK(*parse_bytes("32MiB") == 32U << 20U);
  CHECK(*parse_bytes("1.5KiB") == 1536);
  CHECK(*parse_bytes("64KB") == 64'000);
  CHECK(*parse_bytes("2B") == 2);
  for (const char* bad : {"", "MiB", "-1", "1 MiB", "1mib", "1e3", "99999999TiB", "0x10", "inf"}) {
    INFO(bad);
    CHECK_FALSE(parse_bytes(bad));
  }
  CHECK(format_bytes(32U << 20U) == "32MiB");
  CHECK(format_bytes(1400) == "1400");
  CHECK(format_bytes(0) == "0");
}

TEST_CASE("durations have units", "[server]") {
  CHECK(*parse_duration_ns("60s") == 60'000'000'000);
  CHECK(*parse_duration_ns("1h30m") == 5400'000'000'000);
  CHECK(*parse_duration_ns("250ms") == 250'000'000);
  CHECK(*parse_duration_ns("0.5s") == 500'000'000);
  CHECK(*parse_duration_ns("0") == 0);
  for (const char* bad : {"", "60", "s", "-1s", "1y", "5 s", "1000000w"}) {
    INFO(bad);
    CHECK_FALSE(parse_duration_ns(bad));
  }
  CHECK(format_duration_ns(60'000'000'000) == "1m");
  CHECK(format_duration_ns(90'000'000'000) == "90s");
  CHECK(format_duration_ns(250'000'000) == "250ms");
  CHECK(format_duration_ns(0) == "0");
}

TEST_CASE("the nearest name is offered only when it is near", "[server]") {
  CHECK(nearest("--lable", {"--label", "--name"}) == "--label");
  CHECK(nearest("--something-else", {"--label", "--name"}).empty());
}

}  // namespace
}  // namespace hearth::server
