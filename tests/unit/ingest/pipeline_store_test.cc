// Which profiles are retries, which series are too many, and what is told of both.
#include "pipeline_fixture.h"

using namespace hearth;
using namespace hearth::test;

TEST_CASE("a retry counts once, also split over series and after a restart", "[ingest]") {
  Fixture f;
  const auto profile = cpu().stack("a", {1}, {{"k", "1"}}).stack("a", {2}, {{"k", "2"}});
  CHECK(f.push(f.incoming(profile, web()))->stored == 2);
  CHECK(f.push(f.incoming(profile, web()))->duplicates == 2);
  ingest::Pipeline restarted(f.store, f.clock, {});
  const auto prepared = restarted.prepare(f.tenant, f.incoming(profile, web()));
  CHECK(restarted.commit(f.tenant, {&*prepared, 1})->duplicates == 2);
  CHECK(f.push(f.incoming(profile, web({{"pod", "b"}})))->stored == 2);
  CHECK(f.push(f.incoming(cpu().stack("a", {1}), web()))->stored == 1);
}

TEST_CASE("without a time and a key nothing is taken for a retry", "[ingest]") {
  Fixture f;
  const auto timeless = PprofBuilder().sample_type("cpu", "nanoseconds").stack("a", {1});
  CHECK(f.push(f.incoming(timeless, web()))->stored == 1);
  CHECK(f.push(f.incoming(timeless, web()))->stored == 1);
  ingest::Incoming in = f.incoming(one_stack(), web());
  in.has_time = false;  // The clock of the server stood in.
  CHECK(f.push(in)->stored == 1);
  in = f.incoming(one_stack(), web());
  in.has_time = false;
  CHECK(f.push(in)->stored == 1);
}

TEST_CASE("profile ids and idempotency keys identify a profile, whatever its bytes", "[ingest]") {
  Fixture f;
  const auto with_key = [&](const PprofBuilder& b, const std::string& key, uint64_t index) {
    ingest::Incoming in = f.incoming(b, web());
    in.idempotency_key = key;
    in.index = index;
    return f.push(in)->stored;
  };
  CHECK(with_key(one_stack(), "k", 0) == 1);
  CHECK(with_key(cpu().stack("other", {3}), "k", 0) == 0);
  CHECK(with_key(one_stack(), "k", 1) == 1);
  CHECK(with_key(one_stack(), "l", 0) == 1);
  const auto with_id = [&](Id128 id) {
    ingest::Incoming in = f.incoming(one_stack(), web());
    in.profile_id = id;
    return f.push(in)->stored;
  };
  CHECK(with_id({1, 2}) == 1);
  CHECK(with_id({1, 2}) == 0);
  CHECK(with_id({1, 3}) == 1);
}

TEST_CASE("active series are limited per tenant and forgotten after a while", "[ingest]") {
  Fixture f(ingest::Limits{.active_series_max = 2});
  const auto push = [&](const std::string& pod) {
    return f.prepare(one_stack(), web({{"pod", pod}}));
  };
  CHECK(push("a"));
  CHECK(push("b"));
  const auto refused = push("c");
  check_refused(refused, "series_limit", "limit 2");
  CHECK(refused.error().code == ErrorCode::resource_exhausted);
  CHECK(push("a"));
  CHECK(f.pipeline.prepare(*Tenant::parse("other"), f.incoming(one_stack(), web({{"pod", "c"}}))));
  f.clock.boot += 3600 * kSecond;
  CHECK(push("c"));
  const auto bomb = cpu()
                        .stack("x", {1}, {{"l", "1"}})
                        .stack("x", {1}, {{"l", "2"}})
                        .stack("x", {1}, {{"l", "3"}});
  check_refused(f.prepare(bomb, web()), "series_limit", "limit 2");
}

TEST_CASE("a series that goes on sending is counted once", "[ingest]") {
  Fixture f(ingest::Limits{.active_series_max = 2});
  const auto push = [&](const std::string& pod) {
    return f.prepare(one_stack(), web({{"pod", pod}}));
  };
  for (int i = 0; i < 4; ++i) {
    CHECK(push("a"));
    f.clock.boot += 1900 * kSecond;
  }
  CHECK(push("a"));
  CHECK(push("b"));
  CHECK_FALSE(push("c"));
}

TEST_CASE("refusals are counted by tenant and reason, in bounded memory", "[ingest]") {
  Fixture f;
  f.pipeline.count_discarded(f.tenant, "malformed_profile", 1, 100);
  f.pipeline.count_discarded(f.tenant, "malformed_profile", 2, 50);
  REQUIRE(f.pipeline.discarded().size() == 1);
  CHECK(f.pipeline.discarded()[0].profiles == 3);
  CHECK(f.pipeline.discarded()[0].bytes == 150);
  for (int i = 0; i < 6000; ++i)
    f.pipeline.count_discarded(*Tenant::parse("t" + std::to_string(i)), "rate_limited", 1, 1);
  CHECK(f.pipeline.discarded().size() <= 4097);
  uint64_t profiles = 0;
  for (const auto& d : f.pipeline.discarded()) profiles += d.profiles;
  CHECK(profiles == 6003);
}

TEST_CASE("what the store answers reaches the caller", "[ingest]") {
  Fixture f;
  f.store.refuse(Error{ErrorCode::unavailable, "disk full", {}});
  const auto outcome = f.push(f.incoming(one_stack(), web()));
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::unavailable);
}
