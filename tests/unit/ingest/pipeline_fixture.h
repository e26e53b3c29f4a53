#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/pprof_decoder.h"
#include "ingest/pipeline.h"
#include "support/catch.h"
#include "support/memory_store.h"
#include "support/pprof_builder.h"

namespace hearth::test {

inline constexpr int64_t kNow = 1'700'000'000'000'000'000;
inline constexpr int64_t kSecond = 1'000'000'000;

class FixedClock final : public Clock {
 public:
  int64_t wall_ns() const override { return wall; }
  int64_t boot_ns() const override { return boot; }
  int64_t wall = kNow;
  int64_t boot = 1;
};

/// A pipeline over a store in memory, and the pieces that each test varies.
struct Fixture {
  explicit Fixture(ingest::Limits limits = {}) : pipeline(store, clock, limits) {}

  FixedClock clock;
  MemoryStore store;
  ingest::Pipeline pipeline;
  Tenant tenant = Tenant::anonymous();
  ProfileBatch batch;
  std::string raw;

  ingest::Incoming incoming(const PprofBuilder& profile, std::vector<Label> labels) {
    raw = profile.build();
    REQUIRE(formats::decode_pprof_copy(raw, {}, batch));
    ingest::Incoming in;
    in.labels = std::move(labels);
    in.batch = &batch;
    in.raw = raw;
    return in;
  }
  Result<ingest::Prepared> prepare(const PprofBuilder& profile, std::vector<Label> labels) {
    return pipeline.prepare(tenant, incoming(profile, std::move(labels)));
  }
  Result<storage::AppendOutcome> push(const ingest::Incoming& in) {
    HEARTH_ASSIGN_OR_RETURN(const ingest::Prepared prepared, pipeline.prepare(tenant, in));
    return pipeline.commit(tenant, {&prepared, 1});
  }
};

inline PprofBuilder cpu(int64_t time_ns = kNow - kSecond) {
  return std::move(PprofBuilder().sample_type("cpu", "nanoseconds").time_ns(time_ns));
}
inline PprofBuilder one_stack() {
  return std::move(cpu().stack("main;work", {10}));
}

inline std::vector<Label> web(std::vector<Label> more = {}) {
  more.push_back({"__name__", "process_cpu"});
  more.push_back({"service_name", "web"});
  return more;
}

inline std::vector<std::string> series_of(const Result<ingest::Prepared>& prepared) {
  REQUIRE(prepared);
  std::vector<std::string> out;
  for (const auto& group : prepared->groups) out.push_back(group.series.to_string());
  return out;
}

inline void check_refused(const Result<ingest::Prepared>& result, std::string_view reason,
                          const std::string& part) {
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == reason);
  CHECK_THAT(result.error().message, Catch::Contains(part));
}

}  // namespace hearth::test
