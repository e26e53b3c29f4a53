#include "objstore/bucket.h"

#include <fstream>

#include "support/catch.h"
#include "support/quiet_log.h"
#include "support/s3sim/s3_sim.h"
#include "support/temp_dir.h"

namespace hearth::objstore {
namespace {

using test::QuietLog;
using test::S3Sim;

/// A bucket at a simulated service, with credentials from a file as `hearth serve` reads them.
struct Fixture {
  QuietLog quiet;
  test::TempDir dir;
  S3Sim sim;
  BucketOptions options;
  std::unique_ptr<Bucket> bucket;

  Fixture() {
    std::ofstream(dir / "keys")
        << "[default]\naws_access_key_id=test-key\naws_secret_access_key=test-secret\n";
    options.location = "s3://test/p";
    options.s3.endpoint = sim.endpoint();
    options.s3.credentials.file = dir / "keys";
    auto opened = Bucket::open(posix_file_system(), system_clock(), system_random(), options);
    REQUIRE(opened);
    bucket = std::move(*opened);
  }
};

TEST_CASE("a sound store passes the probe, which leaves nothing behind", "[objstore][s3]") {
  Fixture f;
  REQUIRE(f.bucket->probe());
  const auto found = f.bucket->guarantees();
  REQUIRE(found);
  CHECK(found->create_if_absent);
  CHECK(found->fresh_reads);
  CHECK(found->fresh_lists);
  CHECK(found->ranges);
  CHECK(found->removes);
  CHECK(f.sim.keys().empty());
  CHECK(f.sim.counts().total() <= 25);
}

TEST_CASE("a store that ignores conditions is used, with a warning", "[objstore][s3]") {
  Fixture f;
  f.sim.set_ignore_conditions(true);
  REQUIRE(f.bucket->probe());
  CHECK_FALSE(f.bucket->guarantees()->create_if_absent);
  CHECK(f.quiet.lines().find("ignores conditions") != std::string::npos);
}

TEST_CASE("a store that lists late is refused", "[objstore][s3]") {
  Fixture f;
  f.sim.set_list_delay(5);
  const Status probed = f.bucket->probe();
  REQUIRE_FALSE(probed);
  CHECK(probed.error().code == ErrorCode::unimplemented);
  CHECK_FALSE(f.bucket->guarantees()->fresh_lists);
}

TEST_CASE("a store that is away is not a failed probe: it is asked again later", "[objstore][s3]") {
  Fixture f;
  f.sim.set_down(true);
  const Status probed = f.bucket->probe();
  REQUIRE_FALSE(probed);
  CHECK(probed.error().code == ErrorCode::unavailable);
  CHECK_FALSE(f.bucket->guarantees());
  f.sim.set_down(false);
  f.bucket->step();  // Not due yet.
  CHECK(f.sim.counts().total() == 0);
  CHECK(f.bucket->probe());
}

TEST_CASE("a wrong secret shows with the store's own code", "[objstore][s3]") {
  Fixture f;
  f.sim.set_credentials("test-key", "another");
  const Status probed = f.bucket->probe();
  REQUIRE_FALSE(probed);
  CHECK(probed.error().reason == "SignatureDoesNotMatch");
}

TEST_CASE("a directory is a bucket without a probe", "[objstore]") {
  const test::TempDir dir;
  auto bucket =
      Bucket::open(posix_file_system(), system_clock(), system_random(), {dir / "bucket", {}});
  REQUIRE(bucket);
  CHECK((*bucket)->probe());
  CHECK_FALSE((*bucket)->remote());
  CHECK((*bucket)->store()->put("a", "1"));
}

TEST_CASE("locations that are neither are refused", "[objstore]") {
  for (const char* location : {"gs://bucket", "s3://", "http://host/bucket"}) {
    const auto bucket =
        Bucket::open(posix_file_system(), system_clock(), system_random(), {location, {}});
    REQUIRE_FALSE(bucket);
    CHECK(bucket.error().code == ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace hearth::objstore
