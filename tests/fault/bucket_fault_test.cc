// Spoils every request of a store to its bucket at S3 once, and looks at what is there after a
// restart.
#include <atomic>

#include "objstore/curl_transport.h"
#include "objstore/s3_store.h"
#include "support/catch.h"
#include "support/quiet_log.h"
#include "support/s3sim/s3_sim.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::Fault;
using test::FaultRule;
using test::QuietLog;
using test::S3Sim;
using test::StoreUnderTest;

/// Much time passes between any two looks at it: nothing is remembered for some seconds only.
class RestlessClock final : public Clock {
 public:
  int64_t wall_ns() const override { return system_clock().wall_ns(); }
  int64_t boot_ns() const override { return boot_ns_ += 60'000'000'000; }

 private:
  mutable std::atomic<int64_t> boot_ns_ = 0;
};

/// A client that repeats nothing, so that each fault reaches the store.
std::shared_ptr<ObjectStore> open_bucket(const S3Sim& sim) {
  objstore::S3Options options;
  options.bucket = "test";
  options.endpoint = sim.endpoint();
  options.patience = 0;
  static const RestlessClock clock;
  objstore::S3Client::Parts parts{.clock = &clock, .random = &system_random()};
  parts.http = *objstore::make_curl_transport({});
  parts.credentials = []() -> Result<objstore::Credentials> {
    return objstore::Credentials{"test-key", Secret("test-secret"), {}};
  };
  return std::make_shared<objstore::S3Store>(options, *objstore::s3_address(options, {}),
                                             std::move(parts));
}

/// Some appends and seals; what fails is tried again by the next seal.
void live(StoreUnderTest& t) {
  for (int round = 0; round < 3; ++round) {
    (void)t.append("acme", "svc" + std::to_string(round), "p");
    (void)t.store().seal();
    (void)t.append("anonymous", "svc", "p");
    (void)t.store().seal();
  }
}

TEST_CASE("whichever request to the bucket goes wrong, nothing acknowledged is lost or doubled",
          "[fault]") {
  const QuietLog quiet;
  const std::vector<FaultRule> faults = {
      {.fault = Fault::dropped},
      {.fault = Fault::lost_answer},
      {.fault = Fault::refuse_after},
      {.fault = Fault::refuse, .status = 400, .code = "InvalidRequest"},
      {.fault = Fault::refuse, .status = 412, .code = "PreconditionFailed"},
      {.fault = Fault::dropped, .times = 1'000'000},
      // For good: a put is refused because its object exists, which nobody can find.
      {.fault = Fault::refuse,
       .method = "PUT",
       .target = "/l0/",
       .times = 1'000'000,
       .status = 412},
  };
  for (FaultRule rule : faults) {
    for (int n = 0;; ++n) {
      INFO("fault " << static_cast<int>(rule.fault) << " " << rule.status << ", request " << n);
      S3Sim sim;
      StoreUnderTest t(static_cast<uint64_t>(n) + 1);
      t.set_bucket([&] { return open_bucket(sim); });
      REQUIRE(t.reopen());
      const uint64_t before = sim.counts().total();
      rule.skip = n;
      sim.add_fault(rule);
      live(t);
      const bool fired = sim.counts().total() > before + static_cast<uint64_t>(n);
      sim.clear_faults();
      CHECK_FALSE(t.stopped());
      test::check_after_fault(t);
      if (!fired) {
        CHECK(n >= 8);
        break;
      }
    }
  }
}

}  // namespace
}  // namespace hearth::storage
