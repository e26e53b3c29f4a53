#include "api/merged_profile.h"

#include "api/go_pgo.h"

#include <map>

#include "formats/pprof_decoder.h"
#include "profile.pb.h"
#include "support/catch.h"
#include "support/pprof_builder.h"

using namespace hearth;

namespace {

const ProfileType kCpu{"process_cpu", {"cpu", "nanoseconds"}, {"cpu", "nanoseconds"}};

struct Merged {
  ProfileBatch batch;
  formats::StackTree stacks;
};

/// A profile as the query engine hands it over: its samples as a tree.
Merged decoded(const std::string& pprof) {
  Merged merged;
  REQUIRE(formats::decode_pprof_copy(pprof, {}, merged.batch));
  std::map<std::vector<uint32_t>, int64_t> stacks;
  for (size_t s = 0; s < merged.batch.samples.size(); ++s) {
    const auto stack = merged.batch.stack(s);
    stacks[{stack.rbegin(), stack.rend()}] += merged.batch.value(s, 0);
  }
  merged.stacks = formats::stack_tree(stacks);
  merged.batch.samples = {};
  return merged;
}

std::string encoded(Merged& merged, const ProfileType& type, int64_t end_ns) {
  return api::encode_merged_profile(merged.batch, merged.stacks, type, end_ns);
}

/// Stacks of a pprof message, root first, with their values.
std::map<std::string, int64_t> stacks_of(const google::v1::Profile& profile) {
  std::map<std::string, int64_t> out;
  for (const auto& sample : profile.sample()) {
    std::string stack;
    for (const uint64_t id : sample.location_id()) {
      const auto& line = profile.location(static_cast<int>(id) - 1).line(0);
      const auto& function = profile.function(static_cast<int>(line.function_id()) - 1);
      stack = profile.string_table(static_cast<int>(function.name())) +
              (stack.empty() ? "" : ";" + stack);
    }
    out[stack] += sample.value(0);
  }
  return out;
}

google::v1::Profile parsed(const std::string& bytes) {
  google::v1::Profile profile;
  REQUIRE(profile.ParseFromString(bytes));
  return profile;
}

test::PprofBuilder builder() {
  test::PprofBuilder pprof;
  pprof.sample_type("cpu", "nanoseconds");
  return pprof;
}

}  // namespace

TEST_CASE("a merged profile is worded as Pyroscope words it", "[api]") {
  auto merged = decoded(builder().stack("a;b", {3}).build());
  const auto profile = parsed(encoded(merged, kCpu, 77));
  CHECK(profile.string_table(static_cast<int>(profile.sample_type(0).type())) == "cpu");
  CHECK(profile.default_sample_type() == profile.sample_type(0).type());
  CHECK(profile.string_table(static_cast<int>(profile.period_type().unit())) == "nanoseconds");
  CHECK(profile.period() == 1'000'000'000);
  CHECK(profile.time_nanos() == 77);
  CHECK(profile.mapping_size() >= 1);
  for (const auto& location : profile.location()) CHECK(location.mapping_id() != 0);
}

TEST_CASE("without a period type the message is there and empty", "[api]") {
  auto merged = decoded(builder().stack("a", {1}).build());
  const auto profile = parsed(encoded(merged, {"memory", {"x", "y"}, {}}, 1));
  CHECK(profile.has_period_type());
  CHECK(profile.period_type().type() == 0);
  CHECK(profile.period() == 524'288);
  Merged empty;
  CHECK(encoded(empty, kCpu, 1).empty());
}

TEST_CASE("samples without frames are left out of a merged profile", "[api]") {
  auto merged = decoded(builder().stack("a", {1}).sample({}, {5}).build());
  CHECK(stacks_of(parsed(encoded(merged, kCpu, 1))) ==
        std::map<std::string, int64_t>{{"a", 1}});
}

TEST_CASE("a cut keeps the first node under the threshold and folds what is deeper", "[api]") {
  auto merged = decoded(builder()
                           .stack("main;g;x", {60})
                           .stack("main;g;y", {1})
                           .stack("main;h;p", {3})
                           .stack("main;h;q", {4})
                           .build());
  api::cut_merged_profile(merged.batch, merged.stacks, 3);
  CHECK(stacks_of(parsed(encoded(merged, kCpu, 1))) ==
        std::map<std::string, int64_t>{{"main;g;x", 60}, {"main;g;y", 1}, {"main;h;other", 7}});
  auto whole = decoded(builder().stack("a;b", {1}).build());
  api::cut_merged_profile(whole.batch, whole.stacks, 2);
  CHECK(stacks_of(parsed(encoded(whole, kCpu, 1))) ==
        std::map<std::string, int64_t>{{"a;b", 1}});
}

TEST_CASE("for PGO the leaf side stays and variants of one callee merge", "[api]") {
  auto pprof = builder();
  const uint64_t leaf = pprof.function("leaf", "a.go");
  const uint64_t main = pprof.location({{pprof.function("main", "m.go"), 1, 0}});
  const uint64_t work = pprof.location({{pprof.function("work", "w.go"), 2, 0}});
  pprof.sample({pprof.location({{leaf, 7, 0}}), work, main}, {3});
  pprof.sample({pprof.location({{leaf, 9, 0}}), work}, {4});
  auto merged = decoded(pprof.build());
  api::shape_for_go_pgo(merged.batch, merged.stacks, 2, true);
  const auto profile = parsed(encoded(merged, kCpu, 1));
  CHECK(stacks_of(profile) == std::map<std::string, int64_t>{{"work;leaf", 7}});
  CHECK(profile.sample_size() == 1);
  const auto& first = profile.location(static_cast<int>(profile.sample(0).location_id(0)) - 1);
  CHECK(first.line(0).line() == 0);
  const auto& second = profile.location(static_cast<int>(profile.sample(0).location_id(1)) - 1);
  CHECK(second.line(0).line() == 2);
}
