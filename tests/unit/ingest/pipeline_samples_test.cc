// What becomes of samples, their labels and their side data.
#include "ingest/normalise.h"
#include "ingest/side_labels.h"
#include "pipeline_fixture.h"

using namespace hearth;
using namespace hearth::test;

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
  CHECK(f.batch.locations.address == std::vector<uint64_t>{0, 0, 0x3100, 0x5100, 0x5200, 0x77});
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
