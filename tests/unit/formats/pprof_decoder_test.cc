#include "formats/pprof_decoder.h"

#include "pprof_decode.h"
#include "support/profile_gen.h"

namespace hearth::formats {
namespace {

using test::PprofBuilder;
using test::ProtoWriter;

ProfileBatch decoded(const std::string& body, const DecodeLimits& limits = {}) {
  ProfileBatch batch;
  const Status status = decode(body, batch, limits);
  INFO((status ? "" : status.error().message));
  REQUIRE(status);
  return batch;
}

// Frames root first, innermost inlined function last: "main;work;leaf".
std::string folded(const ProfileBatch& b, size_t sample) {
  std::string out;
  const auto stack = b.stack(sample);
  for (size_t i = stack.size(); i-- > 0;) {
    for (size_t l = b.locations.line_begin[stack[i] + 1]; l-- > b.locations.line_begin[stack[i]];) {
      out += (out.empty() ? "" : ";");
      out += b.strings[b.functions.name[b.lines.function[l]]];
    }
  }
  return out;
}

TEST_CASE("columns hold what the bytes say", "[formats]") {
  PprofBuilder b;
  b.sample_type("samples", "count").sample_type("cpu", "nanoseconds");
  b.period("cpu", "nanoseconds", 10'000'000).time_ns(1'700'000'000'000'000'000).duration_ns(10);
  b.comment("built by hand").default_sample_type("cpu");
  const uint64_t exe = b.mapping("/bin/shop", "abc", 0x400000, 0x500000);
  const uint64_t inlined = b.function("inlined", "a.go", 7);
  const uint64_t caller = b.function("caller", "b.go", 8, "_caller");
  const uint64_t leaf = b.location({{inlined, 70, 3}, {caller, 80}}, exe, 0x400010);
  const uint64_t root = b.location({{caller, 81}}, exe, 0x400020);
  b.sample({leaf, root}, {2, 20'000'000}, {{"thread", "w1"}});
  b.sample({}, {1, -5});
  const ProfileBatch p = decoded(b.build());

  REQUIRE(p.types() == 2);
  CHECK(p.strings[p.sample_types[1].type] == "cpu");
  CHECK(p.strings[p.sample_types[1].unit] == "nanoseconds");
  CHECK(p.strings[p.period_type.type] == "cpu");
  CHECK(p.period == 10'000'000);
  CHECK(p.time_ns == 1'700'000'000'000'000'000);
  CHECK(p.duration_ns == 10);
  CHECK(p.strings[p.comments.at(0)] == "built by hand");
  CHECK(p.strings[p.default_sample_type] == "cpu");
  REQUIRE(p.mappings.size() == 1);
  CHECK(p.mappings.start[0] == 0x400000);
  CHECK(p.strings[p.mappings.build_id[0]] == "abc");
  CHECK(p.mappings.flags[0] == ProfileBatch::kHasFunctions);
  CHECK(p.strings[p.functions.system_name[1]] == "_caller");
  CHECK(p.functions.start_line[0] == 7);
  CHECK(p.locations.address[0] == 0x400010);
  CHECK(p.lines.line == std::vector<int64_t>{70, 80, 81});
  CHECK(p.lines.column == std::vector<int64_t>{3, 0, 0});
  REQUIRE(p.samples.size() == 2);
  CHECK(folded(p, 0) == "caller;caller;inlined");
  CHECK(p.stack(1).empty());
  CHECK(p.value(0, 1) == 20'000'000);
  CHECK(p.value(1, 1) == -5);
  REQUIRE(p.labels_of(0).size() == 1);
  CHECK(p.strings[p.labels_of(0)[0].key] == "thread");
  CHECK(p.strings[p.labels_of(0)[0].str] == "w1");
  CHECK(p.labels_of(1).empty());
}

TEST_CASE("a batch that is used again forgets the profile before", "[formats]") {
  ProfileBatch batch;
  test::ProfileGen gen(3);
  REQUIRE(decode(cpu().stack("a;b", {1}, {{"k", "v"}}).comment("x").time_ns(9).build(), batch));
  REQUIRE(decode(cpu().stack("c", {2}).build(), batch));
  CHECK(batch.samples.size() == 1);
  CHECK(batch.samples.labels.empty());
  CHECK(batch.comments.empty());
  CHECK(batch.time_ns == 0);
  CHECK(batch.locations.size() == 1);
  CHECK(folded(batch, 0) == "c");
}

TEST_CASE("packed and unpacked lists mix inside one sample", "[formats]") {
  PprofBuilder b;
  b.sample_type("a", "count").sample_type("b", "count").sample_type("c", "count");
  for (int i = 0; i < 400; ++i) b.location({{b.function("f" + std::to_string(i))}});
  ProtoWriter s;
  s.varint(1, 300)
      .packed(1, {1, 2, 3})
      .int64(2, -1)
      .varint(1, 128)
      .packed(2, {7, 1u << 20U})
      .packed(1, {})
      .packed(1, {400});
  b.raw(ProtoWriter().message(2, s));
  const ProfileBatch p = decoded(b.build());
  CHECK(p.samples.frames == std::vector<uint32_t>{299, 0, 1, 2, 127, 399});
  CHECK(p.samples.values == std::vector<int64_t>{-1, 7, 1 << 20});
}

TEST_CASE("packed ids of every width and every list length are read", "[formats]") {
  // Widths change along the list so that each kernel meets each remainder.
  for (size_t count = 0; count < 40; ++count) {
    for (size_t shape = 0; shape < 5; ++shape) {
      PprofBuilder b = cpu();
      std::vector<uint64_t> ids;
      std::vector<uint64_t> want;
      for (uint64_t i = 0; i < 20'000; i += 1000)
        b.raw(ProtoWriter().message(4, ProtoWriter().varint(1, i + 1).varint(3, i)));
      for (size_t i = 0; i < count; ++i) {
        const uint64_t position = shape == 0   ? 0
                                  : shape == 1 ? 1 + i % 10
                                  : shape == 2 ? i % 2
                                  : shape == 3 ? i % 20
                                               : (i * 7) % 20;
        ids.push_back(position * 1000 + 1);
        want.push_back(position);
      }
      b.sample(ids, {1});
      const ProfileBatch p = decoded(b.build());
      REQUIRE(std::vector<uint64_t>(p.samples.frames.begin(), p.samples.frames.end()) == want);
    }
  }
}

TEST_CASE("packed values of every width and every list length are read", "[formats]") {
  for (size_t count = 1; count < 20; ++count) {
    for (unsigned shape = 0; shape < 67; ++shape) {
      PprofBuilder b;
      std::vector<int64_t> want;
      for (size_t i = 0; i < count; ++i) {
        b.sample_type("t" + std::to_string(i), "count");
        // All of one width, then widths that change along the list.
        const auto bits = static_cast<unsigned>(shape < 64 ? shape : (i * (shape - 50)) % 64);
        want.push_back(static_cast<int64_t>(UINT64_MAX >> (63 - bits)));
      }
      b.sample({}, want);
      REQUIRE(decoded(b.build()).samples.values == want);
    }
  }
}

TEST_CASE("fields of a message come in any order and under tags of any length", "[formats]") {
  ProtoWriter p;
  p.message(5, ProtoWriter().varint(5, 9).varint(2, 0).varint(1, 1));
  p.message(4, ProtoWriter()
                   .varint(5, 1)
                   .message(4, ProtoWriter().varint(3, 7).varint(2, 6).varint(1, 1))
                   .varint(99, 1)
                   .varint(3, 5)
                   .varint(1, 1));
  // A location whose tags take more bytes than they need.
  p.raw(std::string_view("\xa2\x80\x00\x04\x88\x80\x00\x02", 8));
  p.message(2, ProtoWriter()
                   .message(3, ProtoWriter().varint(3, 4).varint(99, 1).varint(1, 1))
                   .varint(2, 8)
                   .packed(1, {2})
                   .varint(1, 1));
  const ProfileBatch batch = decoded(cpu().raw(p).build());
  CHECK(batch.functions.start_line == std::vector<int64_t>{9});
  CHECK(batch.locations.address == std::vector<uint64_t>{5, 0});
  CHECK(batch.locations.folded == std::vector<uint8_t>{1, 0});
  CHECK(batch.lines.line == std::vector<int64_t>{6});
  CHECK(batch.lines.column == std::vector<int64_t>{7});
  CHECK(batch.samples.frames == std::vector<uint32_t>{1, 0});
  CHECK(batch.samples.values == std::vector<int64_t>{8});
  REQUIRE(batch.samples.labels.size() == 1);
  CHECK(batch.samples.labels[0].num == 4);
}

TEST_CASE("short, long and foreign strings stand side by side", "[formats]") {
  const std::string foreign = "f\xc3\xbcr";
  const std::vector<std::string> texts = {"",
                                          "a",
                                          "seven b",
                                          "eight by",
                                          foreign,
                                          std::string(127, 'x'),
                                          std::string(128, 'y'),
                                          "z",
                                          foreign + std::string(200, 'w'),
                                          ""};
  ProtoWriter strings;
  for (const std::string& text : texts) strings.text(6, text);
  const ProfileBatch p = decoded(cpu().raw(strings).build());
  for (size_t i = 0; i < texts.size(); ++i) CHECK(p.strings[i] == texts[i]);
}

TEST_CASE("ids may be any 64-bit number in any order", "[formats]") {
  for (const uint64_t base :
       {uint64_t{1}, uint64_t{100}, uint64_t{1} << 20U, uint64_t{1} << 40U, UINT64_MAX - 2}) {
    ProtoWriter p;
    p.message(2, ProtoWriter().packed(1, {base + 2, base, base + 1}).varint(2, 1));
    p.message(2, ProtoWriter().varint(1, base + 1).varint(2, 1));
    for (const uint64_t i : {2, 0, 1}) {
      p.message(4, ProtoWriter()
                       .varint(1, base + i)
                       .varint(2, base)
                       .message(4, ProtoWriter().varint(1, base + i)));
      p.message(5, ProtoWriter().varint(1, base + i));
    }
    p.message(3, ProtoWriter().varint(1, base));
    const ProfileBatch batch = decoded(cpu().raw(p).build());
    CHECK(batch.samples.frames == std::vector<uint32_t>{0, 1, 2, 2});
    CHECK(batch.lines.function == std::vector<uint32_t>{0, 1, 2});
    CHECK(batch.locations.mapping == std::vector<uint32_t>{0, 0, 0});
  }
}

TEST_CASE("of equal ids the last counts", "[formats]") {
  PprofBuilder b = cpu();
  const uint64_t f = b.function("first");
  const uint64_t g = b.function("second");
  b.location({{f}});
  b.raw(
      ProtoWriter().message(4, ProtoWriter().varint(1, 1).message(4, ProtoWriter().varint(1, g))));
  CHECK(folded(decoded(b.sample({1}, {1}).build()), 0) == "second");
}

TEST_CASE("references to what the profile lacks cost the frame, or the sample", "[formats]") {
  PprofBuilder b = cpu();
  const uint64_t f = b.function("f");
  const uint64_t good = b.location({{f}});
  const uint64_t lost_function = b.location({{f}, {99}});
  const uint64_t lost_mapping = b.location({{f}}, 42);
  b.sample({77, good, lost_function, lost_mapping, good}, {1}, {{"k", "v"}});
  b.sample({77}, {2}, {{"k", "w"}});
  b.sample({good}, {3}, {{"k", "x"}});
  b.sample({}, {4});
  const ProfileBatch p = decoded(b.build());
  REQUIRE(p.samples.size() == 3);
  CHECK(p.samples.frames == std::vector<uint32_t>{0, 0, 0});
  CHECK(p.samples.values == std::vector<int64_t>{1, 3, 4});
  CHECK(p.strings[p.labels_of(1)[0].str] == "x");
  CHECK(p.repairs.frames_dropped == 4);
}

TEST_CASE("deep stacks keep their leaf side under a [truncated] frame", "[formats]") {
  DecodeLimits limits;
  limits.stack_depth_max = 3;
  const ProfileBatch p = decoded(cpu().stack("a;b;c;d", {1}).stack("x;y;z", {2}).build(), limits);
  CHECK(folded(p, 0) == "[truncated];c;d");
  CHECK(folded(p, 1) == "x;y;z");
  CHECK(p.repairs.stacks_truncated == 1);
  limits.stack_depth_max = 0;
  CHECK(folded(decoded(cpu().stack("a;b;c;d", {1}).build(), limits), 0) == "a;b;c;d");
}

TEST_CASE("long strings keep their tail and stay UTF-8", "[formats]") {
  DecodeLimits limits;
  limits.string_max_bytes = 4;
  const ProfileBatch p = decoded(cpu().stack("abcdef;xx\u00e9\u20ac", {1}).build(), limits);
  CHECK(p.repairs.strings_truncated == 3);  // The unit and both frames.
  CHECK(folded(p, 0) == "cdef;\u20ac");
}

TEST_CASE("optional string indices out of range read as the empty string", "[formats]") {
  ProtoWriter p;
  p.message(1, ProtoWriter().varint(1, 1).varint(2, 99))
      .message(11, ProtoWriter().varint(1, 98).varint(2, uint64_t{1} << 40U));
  p.varint(7, 97).varint(8, 96).varint(13, 95).varint(14, 94).varint(15, 93).packed(13, {1, 92});
  p.message(2, ProtoWriter().varint(2, 5).message(
                   3, ProtoWriter().varint(1, 1).varint(3, 7).varint(4, 91)));
  const ProfileBatch batch = decoded(p.text(6, "").text(6, "cpu").bytes);
  CHECK(batch.strings[batch.sample_types[0].unit].empty());
  CHECK(batch.period_type.type == 0);
  CHECK(batch.period_type.unit == 0);
  CHECK(batch.comments == std::vector<uint32_t>{0, 1, 0});
  CHECK(batch.default_sample_type + batch.drop_frames + batch.keep_frames + batch.doc_url == 0);
  CHECK(batch.labels_of(0)[0].num_unit == 0);
  CHECK(batch.labels_of(0)[0].num == 7);
}

TEST_CASE("fields of later versions are skipped, repeated fields: the last counts", "[formats]") {
  ProtoWriter p;
  p.varint(99, 1).fixed64(98, 2).fixed32(97, 3).text(96, "new");
  p.varint(12, 5)
      .varint(12, 6)
      .message(11, ProtoWriter().varint(1, 1))
      .message(11, ProtoWriter().varint(2, 2));
  const ProfileBatch batch = decoded(cpu().raw(p).build());
  CHECK(batch.period == 6);
  CHECK(batch.period_type.type == 1);
  CHECK(batch.period_type.unit == 2);
}

TEST_CASE("dotnet repairs number functions by position and drop dashes", "[formats]") {
  ProtoWriter p;
  p.message(1, ProtoWriter().varint(1, 1)).message(2, ProtoWriter().packed(1, {2, 1}).varint(2, 1));
  p.message(4, ProtoWriter().varint(1, 1).message(4, ProtoWriter()))
      .message(4, ProtoWriter().varint(1, 2).message(4, ProtoWriter()));
  p.message(5, ProtoWriter().varint(2, 2)).message(5, ProtoWriter().varint(2, 3));
  p.text(6, "").text(6, "inuse-space").text(6, "one").text(6, "two");
  DecodeLimits limits;
  limits.dotnet_repairs = true;
  const ProfileBatch batch = decoded(p.bytes, limits);
  CHECK(folded(batch, 0) == "one;two");
  CHECK(batch.strings[batch.sample_types[0].type] == "inuse_space");
  ProfileBatch refused;
  CHECK_FALSE(decode(p.bytes, refused));
  // A third function: positions say nothing any more.
  CHECK_FALSE(decode(p.message(5, ProtoWriter().varint(2, 3)).bytes, refused, limits));
}

TEST_CASE("limits name what was exceeded", "[formats]") {
  DecodeLimits limits;
  limits.samples_max = 2;
  limits.sample_labels_max = 1;
  ProfileBatch batch;
  CHECK(decode(cpu().stack("a", {1}).stack("b", {1}).build(), batch, limits));
  Status status =
      decode(cpu().stack("a", {1}).stack("b", {1}).stack("c", {1}).build(), batch, limits);
  REQUIRE_FALSE(status);
  CHECK(status.error().reason == "samples_limit");
  CHECK_THAT(
      status.error().message,
      Catch::Contains(
          "exceeds the samples count limit (max_profile_stacktrace_samples, actual: 3, limit: 2)"));
  CHECK(batch.samples.size() == 0);
  CHECK(decode(cpu().stack("a", {1}, {{"k", "v"}}).build(), batch, limits));
  status = decode(cpu().stack("a", {1}, {{"k", "v"}, {"l", "w"}}).build(), batch, limits);
  REQUIRE_FALSE(status);
  CHECK(status.error().reason == "sample_labels_limit");
}

}  // namespace
}  // namespace hearth::formats
