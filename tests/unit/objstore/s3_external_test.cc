// Against a real service, when it is named: HEARTH_TEST_S3_ENDPOINT, _BUCKET, _KEY, _SECRET.
// tests/e2e/test_s3.py runs it on Ceph's gateway.
#include <cstdlib>

#include "objstore/curl_transport.h"
#include "objstore/s3_store.h"
#include "objstore/store_probe.h"
#include "support/catch.h"
#include "support/object_store_suite.h"
#include "support/quiet_log.h"

namespace hearth::objstore {
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A prefix of its own, which is as good as an empty bucket.
std::shared_ptr<S3Store> open_external(int64_t clock_error_ns = 0) {
  S3Options options;
  options.endpoint = variable("HEARTH_TEST_S3_ENDPOINT");
  options.bucket = variable("HEARTH_TEST_S3_BUCKET");
  options.prefix = "suite/" + random_uuid(system_random()).uuid();
  options.timeout_ns = 20'000'000'000;
  options.parts_from_bytes = 6U << 20U;
  options.part_bytes = 5U << 20U;  // The least that S3 takes.
  REQUIRE_FALSE(options.endpoint.empty());
  struct WrongClock final : Clock {
    int64_t error_ns = 0;
    int64_t wall_ns() const override { return system_clock().wall_ns() + error_ns; }
    int64_t boot_ns() const override { return system_clock().boot_ns(); }
  };
  static WrongClock clock;
  clock.error_ns = clock_error_ns;
  S3Client::Parts parts{.clock = &clock, .random = &system_random()};
  parts.http = *make_curl_transport({});
  parts.credentials = []() -> Result<Credentials> {
    return Credentials{
        variable("HEARTH_TEST_S3_KEY"), Secret(variable("HEARTH_TEST_S3_SECRET")), {}};
  };
  return std::make_shared<S3Store>(options, *s3_address(options, {}), std::move(parts));
}

TEST_CASE("a real service does what every bucket must do", "[.][s3-external]") {
  test::check_object_store(*open_external());
}

TEST_CASE("a real service passes the probe", "[.][s3-external]") {
  const auto store = open_external();
  const auto found = probe_store(*store, system_random());
  REQUIRE(found);
  CHECK(found->create_if_absent);
  CHECK(check_guarantees(*found));
}

TEST_CASE("a real service takes uploads in parts and lists in pages", "[.][s3-external]") {
  const auto store = open_external();
  std::string data(13U << 20U, '\0');
  for (size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 31 + i / 4096);
  REQUIRE(store->put("big", data));
  CHECK(test::read_all(*store, "big") == data);
  CHECK(store->remove_leftovers(3600'000'000'000));
  for (int i = 0; i < 30; ++i) REQUIRE(store->put("l/" + std::to_string(100 + i), "x"));
  CHECK(test::keys_of(*store, "l/", "", 7).size() == 7);
  CHECK(test::keys_of(*store, "l/", "l/109").size() == 20);
}

TEST_CASE("a real service is reached with a clock that is off", "[.][s3-external]") {
  const test::QuietLog quiet;
  CHECK(open_external(25LL * 60 * 1'000'000'000)->put("k", "v"));
}

}  // namespace
}  // namespace hearth::objstore
