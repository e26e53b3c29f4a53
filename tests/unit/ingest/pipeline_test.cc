#include "ingest/pipeline.h"

#include <limits>

#include "formats/pprof_decoder.h"
#include "ingest/normalise.h"
#include "ingest/side_labels.h"
#include "support/catch.h"
#include "support/memory_store.h"
#include "support/pprof_builder.h"

using namespace hearth;
using hearth::test::PprofBuilder;

namespace {

constexpr int64_t kNow = 1'700'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;

class FixedClock final : public Clock {
 public:
  int64_t wall_ns() const override { return wall; }
  int64_t boot_ns() const override { return boot; }
  int64_t wall = kNow;
  int64_t boot = 1;
};

// A pipeline over a store in memory, and the pieces that each test varies.
struct Fixture {
  explicit Fixture(ingest::Limits limits = {}) : pipeline(store, clock, limits) {}

  FixedClock clock;
  test::MemoryStore store;
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

PprofBuilder cpu(int64_t time_ns = kNow - kSecond) {
  return std::move(PprofBuilder().sample_type("cpu", "nanoseconds").time_ns(time_ns));
}
PprofBuilder one_stack() {
  return std::move(cpu().stack("main;work", {10}));
}

std::vector<Label> web(std::vector<Label> more = {}) {
  more.push_back({"__name__", "process_cpu"});
  more.push_back({"service_name", "web"});
  return more;
}

std::vector<std::string> series_of(const Result<ingest::Prepared>& prepared) {
  REQUIRE(prepared);
  std::vector<std::string> out;
  for (const auto& group : prepared->groups) out.push_back(group.series.to_string());
  return out;
}

void check_refused(const Result<ingest::Prepared>& result, std::string_view reason,
                   const std::string& part) {
  REQUIRE_FALSE(result);
  CHECK(result.error().reason == reason);
  CHECK_THAT(result.error().message, Catch::Contains(part));
}

}  // namespace

TEST_CASE("a plain profile goes through with its labels, sorted", "[ingest]") {
  Fixture f;
  const auto prepared = f.prepare(one_stack(), web({{"pod", "a"}}));
  CHECK(series_of(prepared) ==
        std::vector<std::string>{R"({__name__="process_cpu", pod="a", service_name="web"})"});
  CHECK(prepared->groups[0].samples == std::vector<uint32_t>{0});
  CHECK(f.pipeline.commit(f.tenant, {&*prepared, 1})->stored == 1);
  CHECK(f.store.all_series().size() == 1);
}

TEST_CASE("labels are refused with upstream's words and reasons", "[ingest]") {
  const auto check = [](std::vector<Label> labels, std::string_view reason,
                        const std::string& part) {
    Fixture f;
    check_refused(f.prepare(one_stack(), std::move(labels)), reason, part);
    REQUIRE(f.pipeline.discarded().size() == 1);
    CHECK(f.pipeline.discarded()[0].reason == reason);
    CHECK(f.pipeline.discarded()[0].bytes == f.raw.size());
  };
  check({}, "invalid_labels",
        R"(invalid labels '{service_name="unknown_service"}' with error: invalid metric name)");
  check({{"__name__", ""}, {"service_name", "web"}}, "invalid_labels", "invalid metric name");
  check({{"__name__", "process_cpu"}, {"service_name", ""}}, "missing_labels",
        "service name is not provided");
  check(web({{"", "v"}}), "invalid_labels", "invalid label name ''");
  check(web({{"a", "\xff"}}), "invalid_labels", "invalid label value");
  check(web({{"a\xff", "1"}}), "invalid_labels", "invalid label name");
  check(web({{"a", "1"}, {"a", "2"}}), "duplicate_label_names", "has duplicate label name: 'a'");
  check(web({{std::string(1025, 'n'), "1"}}), "label_name_too_long",
        "has label name too long: 'nnn");
  check(web({{"a", std::string(2049, 'v')}}), "label_value_too_long",
        "has label value too long: 'vvv");
  check(web({{"a", "1"}, {"b", "1"}, {"a", "2"}}), "duplicate_label_names",
        "has duplicate label name: 'a'");
  std::vector<Label> many = web();
  for (int i = 0; i < 40; ++i) many.push_back({"l" + std::to_string(i), "v"});
  check(many, "max_label_names_per_series", "has 42 label names; limit 30");
}

TEST_CASE("any utf-8 label name is stored as it is, an empty value is no label", "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(one_stack(), web({{"a.b c/d", "v"}, {"x", ""}}))) ==
        std::vector<std::string>{R"({__name__="process_cpu", a.b c/d="v", service_name="web"})"});
}

TEST_CASE("a missing service name becomes unknown_service", "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(one_stack(), {{"__name__", "process_cpu"}})) ==
        std::vector<std::string>{R"({__name__="process_cpu", service_name="unknown_service"})"});
}

TEST_CASE("control labels and derived labels are not stored, other private labels are",
          "[ingest]") {
  Fixture f;
  const std::vector<Label> sent = web({{"__delta__", "false"},
                                       {"__order__", "1"},
                                       {"__session_id__", "abc"},
                                       {"__custom__", "x"},
                                       {"__type__", "cpu"},
                                       {"__unit__", "u"},
                                       {"__profile_type__", "p"},
                                       {"__period_type__", "t"},
                                       {"__period_unit__", "u"},
                                       {"__service_name__", "s"}});
  CHECK(
      series_of(f.prepare(one_stack(), sent)) ==
      std::vector<std::string>{R"({__custom__="x", __name__="process_cpu", service_name="web"})"});
}

TEST_CASE("session labels are hashed into the allowed number", "[ingest]") {
  Fixture f(ingest::Limits{.sessions_per_series_max = 4});
  const auto prepared = f.prepare(one_stack(), web({{"__session_id__", "abc"}}));
  REQUIRE(prepared);
  const std::string_view session = prepared->groups[0].series.get("__session_id__");
  CHECK(session.size() == 16);
  CHECK(session.substr(0, 15) == "000000000000000");
  CHECK(session.back() < '4');
}

TEST_CASE("godeltaprof names lose their prefix and keep it in a label", "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(one_stack(),
                            {{"__name__", "godeltaprof_memory"}, {"service_name", "web"}})) ==
        std::vector<std::string>{
            R"({__name__="memory", __name_replaced__="godeltaprof_memory", service_name="web"})"});
}

TEST_CASE("wall profiles of type cpu become process_cpu only when the client says the type",
          "[ingest]") {
  Fixture f;
  CHECK(series_of(f.prepare(
            one_stack(), {{"__name__", "wall"}, {"__type__", "cpu"}, {"service_name", "web"}})) ==
        std::vector<std::string>{
            R"({__name__="process_cpu", __name_replaced__="wall", service_name="web"})"});
  CHECK(series_of(f.prepare(one_stack(), {{"__name__", "wall"}, {"service_name", "web"}})) ==
        std::vector<std::string>{R"({__name__="wall", service_name="web"})"});
}

TEST_CASE("a profile without a time gets now, one with a time keeps it", "[ingest]") {
  Fixture f;
  REQUIRE(f.prepare(PprofBuilder().sample_type("cpu", "nanoseconds").stack("a", {1}), web()));
  CHECK(f.batch.time_ns == kNow);
  REQUIRE(f.prepare(one_stack(), web()));
  CHECK(f.batch.time_ns == kNow - kSecond);
}

TEST_CASE("any time stamp is taken by default; with a window, outside is refused", "[ingest]") {
  const auto at = [](int64_t time) { return cpu(time).stack("a", {1}); };
  Fixture open;
  CHECK(open.prepare(at(1), web()));
  CHECK(open.prepare(at(std::numeric_limits<int64_t>::max()), web()));
  Fixture window(ingest::Limits{.reject_older_than_ns = 3600 * kSecond,
                                .reject_newer_than_ns = 600 * kSecond});
  CHECK(window.prepare(at(kNow - 3599 * kSecond), web()));
  CHECK(window.prepare(at(kNow + 599 * kSecond), web()));
  CHECK(window.prepare(at(0), web()));
  check_refused(window.prepare(at(kNow - 3600 * kSecond), web()), "not_in_ingestion_window",
                "is outside of ingestion window (profile timestamp: 2023-11-14 21:13:20");
  check_refused(window.prepare(at(kNow + 600 * kSecond), web()), "not_in_ingestion_window",
                "profile with labels '{");
}

TEST_CASE("a time range that 64 bits cannot hold is refused", "[ingest]") {
  Fixture f;
  check_refused(
      f.prepare(cpu(std::numeric_limits<int64_t>::max()).field(10, kSecond).stack("a", {1}), web()),
      "malformed_profile", "exceeds 64-bit nanoseconds");
}

TEST_CASE("size and count limits are refused with both numbers", "[ingest]") {
  Fixture samples(ingest::Limits{.samples_max = 1});
  check_refused(
      samples.prepare(one_stack().stack("b", {1}), web()), "samples_limit",
      "exceeds the samples count limit (max_profile_stacktrace_samples, actual: 2, limit: 1)");
  Fixture labels(ingest::Limits{.sample_labels_max = 1});
  check_refused(labels.prepare(cpu().stack("a", {1}, {{"x", "1"}, {"y", "2"}}), web()),
                "sample_labels_limit",
                "exceeds the sample labels limit (max_profile_stacktrace_sample_labels, actual: 2, "
                "limit: 1)");
  Fixture size(ingest::Limits{.profile_max_bytes = 10});
  check_refused(size.prepare(one_stack(), web()), "profile_size_limit",
                "exceeds the size limit (max_profile_size_byte, actual: ");
  Fixture none;
  ProfileBatch empty;
  empty.add_string("");
  ingest::Incoming in;
  in.labels = web();
  in.batch = &empty;
  check_refused(none.pipeline.prepare(none.tenant, in), "malformed_profile", "empty profile");
}

TEST_CASE("negative and all-zero samples are dropped and counted; nothing left is success",
          "[ingest]") {
  Fixture f;
  auto profile =
      PprofBuilder().sample_type("objects", "count").sample_type("space", "bytes").time_ns(kNow);
  profile.stack("a", {0, 0})
      .stack("b", {1, -1})
      .stack("c;d", {0, 3}, {{"k", "v"}})
      .stack("e", {-1, 0});
  const auto prepared = f.prepare(profile, web());
  REQUIRE(prepared);
  REQUIRE(f.batch.samples.size() == 1);
  CHECK(f.batch.validate());
  CHECK(f.batch.value(0, 1) == 3);
  CHECK(f.batch.stack(0).size() == 2);
  CHECK(prepared->groups[0].series.get("k") == "v");
  CHECK(f.pipeline.repairs().samples_negative == 2);
  CHECK(f.pipeline.repairs().samples_zero == 1);
  auto runs =
      PprofBuilder().sample_type("objects", "count").sample_type("space", "bytes").time_ns(kNow);
  runs.stack("a;b", {1, 10}, {{"k", "v"}}).stack("x;y", {0, 0}, {{"k", "v"}});
  runs.stack("c;d;e", {2, 20}).stack("f", {3, 30}, {{"k", "w"}});
  runs.stack("z", {0, 0}).stack("z", {-1, 0}).stack("g", {4, 40}, {{"k", "v"}});
  const auto kept = f.prepare(runs, web());
  REQUIRE(kept);
  REQUIRE(f.batch.samples.size() == 4);
  CHECK(f.batch.validate());
  const std::vector<size_t> depths = {2, 3, 1, 1};
  for (size_t i = 0; i < depths.size(); ++i) {
    CHECK(f.batch.stack(i).size() == depths[i]);
    CHECK(f.batch.value(i, 1) == 10 * static_cast<int64_t>(i + 1));
  }
  REQUIRE(kept->groups.size() == 3);
  for (const auto& group : kept->groups) {
    const std::string_view label = group.series.get("k");
    const auto expected = label == "v"   ? std::vector<uint32_t>{0, 3}
                          : label == "w" ? std::vector<uint32_t>{2}
                                         : std::vector<uint32_t>{1};
    CHECK(group.samples == expected);
  }
  const auto nothing = f.prepare(cpu().stack("a", {0}), web());
  REQUIRE(nothing);
  CHECK(nothing->groups.empty());
  CHECK(f.pipeline.commit(f.tenant, {&*nothing, 1})->stored == 0);
}

TEST_CASE("labels are checked even when there is nothing to store", "[ingest]") {
  Fixture f;
  check_refused(f.prepare(cpu(), {{"service_name", "web"}}), "invalid_labels",
                "invalid metric name");
}

TEST_CASE("a frame without line and address goes, its sample stays", "[ingest]") {
  Fixture f;
  PprofBuilder b = cpu();
  const uint64_t nowhere = b.location({});
  const uint64_t main = b.location({{b.function("main"), 1, 0}});
  const uint64_t unnamed = b.location({}, b.mapping("lib.so", "id", 0x1000, 0x2000, false), 0x1234);
  b.sample({nowhere, unnamed, main}, {5}).sample({nowhere}, {7});
  REQUIRE(f.prepare(b, web()));
  CHECK(f.batch.samples.size() == 2);
  CHECK(f.batch.stack(0).size() == 2);
  CHECK(f.batch.stack(1).empty());
  CHECK(f.pipeline.repairs().frames_dropped == 2);
}

TEST_CASE("addresses are cleared where the mapping says that it has functions, and only there",
          "[ingest]") {
  Fixture f;
  PprofBuilder b = cpu();
  const uint64_t named = b.mapping("app", "id", 0x1000, 0x2000, true);
  const uint64_t silent =
      b.mapping("old", "id", 0x3000, 0x4000, false);  // Has names, does not say so.
  const uint64_t native = b.mapping("lib", "id", 0x5000, 0x6000, false);
  const uint64_t fn = b.function("f");
  b.sample({b.location({{fn, 1, 0}}, named, 0x1100), b.location({}, named, 0x1200),
            b.location({{fn, 2, 0}}, silent, 0x3100), b.location({{fn, 3, 0}}, native, 0x5100),
            b.location({}, native, 0x5200), b.location({{fn, 4, 0}}, 0, 0x77)},
           {1});
  REQUIRE(f.prepare(b, web()));
  CHECK(f.batch.locations.address ==
        std::vector<uint64_t>{0, 0, 0x3100, 0x5100, 0x5200, 0x77});
  CHECK(f.batch.mappings.start == std::vector<uint64_t>{0, 0x3000, 0x5000});
  CHECK(f.batch.mappings.limit == std::vector<uint64_t>{0, 0x4000, 0x6000});
}

TEST_CASE("shape parameters of Go generics are stripped from function names of Go profiles only",
          "[ingest]") {
  const auto names = [](const std::string& spy) {
    Fixture f;
    const auto profile = cpu().stack(
        "main.Map[go.shape.int,go.shape.[]uint8].func1;x.F[go.shape.struct { A [3]int }]", {1});
    REQUIRE(f.prepare(profile, web({{"pyroscope_spy", spy}})));
    std::vector<std::string> out;
    for (const uint32_t name : f.batch.functions.name) out.emplace_back(f.batch.strings[name]);
    return out;
  };
  CHECK(names("gospy") == std::vector<std::string>{"x.F", "main.Map.func1"});
  CHECK(names("pyspy")[0] == "x.F[go.shape.struct { A [3]int }]");
}

TEST_CASE("sample labels become series labels, span and trace ids do not, the series wins",
          "[ingest]") {
  Fixture f;
  PprofBuilder b = cpu();
  b.stack("a;b", {1}, {{"vehicle", "car"}})
      .stack("a;b", {2}, {{"vehicle", "bus"}})
      .stack("a;c", {4});
  b.stack("a;d", {8},
          {{"span_id", "00000bac2a5ab0c7"}, {"trace_id", "0123456789abcdef0123456789abcdef"}});
  b.stack("a;e", {16}, {{"vehicle", "car"}, {"span_id", "00000bac2a5ab0c7"}})
      .stack("a;f", {32}, {{"profile_id", "00000bac2a5ab0c7"}});
  b.stack("a;g", {64}, {{"vehicle", ""}}).stack("a;h", {128}, {{"job", "loser"}});
  const auto prepared = f.prepare(b, web({{"job", "winner"}}));
  REQUIRE(series_of(prepared) ==
          std::vector<std::string>{
              R"({__name__="process_cpu", job="winner", service_name="web"})",
              R"({__name__="process_cpu", job="winner", service_name="web", vehicle="bus"})",
              R"({__name__="process_cpu", job="winner", service_name="web", vehicle="car"})"});
  CHECK(prepared->groups[0].samples == std::vector<uint32_t>{2, 3, 5, 6, 7});
  CHECK(prepared->groups[1].samples == std::vector<uint32_t>{1});
  CHECK(prepared->groups[2].samples == std::vector<uint32_t>{0, 4});
  CHECK(f.batch.samples.labels.empty());
  CHECK(f.batch.validate());
  CHECK(f.pipeline.repairs().sample_ids_dropped == 0);
  const auto& side = f.batch.samples.side;
  REQUIRE(side.size() == 3);
  CHECK(side[0] ==
        ProfileBatch::SideData{3, 0x00000bac2a5ab0c7, 0x0123456789abcdef, 0x0123456789abcdef, 0});
  CHECK(side[1] == ProfileBatch::SideData{4, 0x00000bac2a5ab0c7, 0, 0, 0});
  CHECK(side[2] == ProfileBatch::SideData{5, 0x00000bac2a5ab0c7, 0, 0, 0});
}

TEST_CASE("a batch that is used again has no spans of the profile before", "[ingest]") {
  Fixture f;
  REQUIRE(f.prepare(cpu().stack("a", {1}, {{"span_id", "00000bac2a5ab0c7"}}), web()));
  REQUIRE(f.batch.samples.side.size() == 1);
  REQUIRE(f.prepare(cpu().stack("a", {1}, {{"span_id", "1111111111111111"}}), web()));
  CHECK(f.batch.samples.side[0].span_id == 0x1111111111111111);
  REQUIRE(f.prepare(cpu().stack("a", {1}), web()));
  CHECK(f.batch.samples.side.empty());
}

TEST_CASE("malformed ids of samples are counted and read as none", "[ingest]") {
  Fixture f;
  PprofBuilder b = cpu();
  b.stack("a", {1}, {{"span_id", "short"}}).stack("b", {2}, {{"span_id", "00000BAC2A5AB0C7"}});
  b.stack("c", {4}, {{"trace_id", "0123456789abcdef"}, {"span_id", "0000000000000001"}});
  b.stack("d", {8}, {{"span_id", "000000000000000g"}}).stack("e", {0}).stack("f", {16});
  b.stack("g", {32}, {{"span_id", "0000000000000000"}});
  REQUIRE(f.prepare(b, web()));
  CHECK(f.pipeline.repairs().sample_ids_dropped == 3);
  const auto& side = f.batch.samples.side;
  REQUIRE(side.size() == 2);
  CHECK(side[0] == ProfileBatch::SideData{1, 0x00000bac2a5ab0c7, 0, 0, 0});
  CHECK(side[1] == ProfileBatch::SideData{2, 1, 0, 0, 0});
  CHECK(f.batch.validate());
}

TEST_CASE("side data stays with its samples when others are dropped", "[ingest]") {
  Fixture f;
  REQUIRE(f.prepare(cpu().stack("a", {1}).stack("b", {2}), web()));
  f.batch.samples.side = {{0, 0, 0, 0, 5}, {1, 0, 0, 0, 7}};
  f.batch.samples.values[0] = 0;
  ingest::drop_unusable_samples(f.batch);
  REQUIRE(f.batch.samples.side.size() == 1);
  CHECK(f.batch.samples.side[0] == ProfileBatch::SideData{0, 0, 0, 0, 7});
}

TEST_CASE("side data beyond the limit of a profile is dropped and counted", "[ingest]") {
  ProfileBatch batch;
  for (uint32_t s = 0; s < 10; ++s) batch.samples.side.push_back({s, s + 1, 0, 0, 0});
  ingest::limit_side_data(batch, 0);
  CHECK(batch.samples.side.size() == 10);
  ingest::limit_side_data(batch, 4);
  CHECK(batch.samples.side.size() == 4);
  CHECK(batch.samples.side.back().span_id == 4);
  CHECK(batch.repairs.side_data_dropped == 6);
}

TEST_CASE("a text profile's profile_id is the span of its samples", "[ingest]") {
  Fixture f;
  REQUIRE(f.prepare(cpu().stack("a", {1}).stack("b", {2}), web()));
  std::vector<Label> labels = web({{"profile_id", "00000bac2a5ab0c7"}});
  ingest::move_span_label(labels, f.batch);
  CHECK(labels == web());
  REQUIRE(f.batch.samples.side.size() == 2);
  CHECK(f.batch.samples.side[1].span_id == 0x00000bac2a5ab0c7);
}

TEST_CASE("an empty label of the series is filled by the samples'", "[ingest]") {
  Fixture f;
  const auto prepared = f.prepare(cpu().stack("a", {1}, {{"job", "mine"}}), web({{"job", ""}}));
  CHECK(series_of(prepared)[0] == R"({__name__="process_cpu", job="mine", service_name="web"})");
}

TEST_CASE("a sample label with a bad value fails the profile", "[ingest]") {
  Fixture f;
  check_refused(f.prepare(cpu().stack("a", {1}, {{"l", std::string(3000, 'v')}}), web()),
                "label_value_too_long", "'vvv");
}

TEST_CASE(
    "numeric labels are dropped and counted, but the bytes of Go heap profiles stay in the key",
    "[ingest]") {
  const auto with_numbers = [](PprofBuilder b, size_t types) {
    test::ProtoWriter sample;
    const uint64_t location = b.location({{b.function("f"), 1, 0}});
    sample.packed(1, {location}).packed(2, std::vector<uint64_t>(types, 1));
    sample.message(3, test::ProtoWriter().varint(1, b.string("bytes")).int64(3, 48));
    sample.message(3, test::ProtoWriter().varint(1, b.string("thread")).int64(3, 7));
    return b.raw(test::ProtoWriter().message(2, sample));
  };
  Fixture heap;
  const auto go_heap = PprofBuilder()
                           .sample_type("alloc_objects", "count")
                           .sample_type("alloc_space", "bytes")
                           .sample_type("inuse_objects", "count")
                           .sample_type("inuse_space", "bytes")
                           .time_ns(kNow);
  CHECK(series_of(heap.prepare(with_numbers(go_heap, 4), web())).size() == 1);
  REQUIRE(heap.batch.samples.labels.size() == 1);
  CHECK(heap.batch.strings[heap.batch.samples.labels[0].key] == "bytes");
  CHECK(heap.batch.samples.labels[0].num == 48);
  CHECK(heap.pipeline.repairs().numeric_labels_dropped == 1);
  Fixture only_bytes;
  PprofBuilder plain = go_heap;
  for (const int64_t size : {48, 64}) {
    const uint64_t location = plain.location({{plain.function("f" + std::to_string(size)), 1, 0}});
    test::ProtoWriter sample;
    sample.packed(1, {location}).packed(2, std::vector<uint64_t>(4, 1));
    sample.message(3, test::ProtoWriter().varint(1, plain.string("bytes")).int64(3, size));
    plain.raw(test::ProtoWriter().message(2, sample));
  }
  CHECK(series_of(only_bytes.prepare(plain, web())).size() == 1);
  REQUIRE(only_bytes.batch.samples.labels.size() == 2);
  CHECK(only_bytes.batch.samples.labels[1].num == 64);
  CHECK(only_bytes.pipeline.repairs().numeric_labels_dropped == 0);
  Fixture other;
  CHECK(series_of(other.prepare(with_numbers(cpu(), 1), web())).size() == 1);
  CHECK(other.batch.samples.labels.empty());
  CHECK(other.pipeline.repairs().numeric_labels_dropped == 2);
}

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
