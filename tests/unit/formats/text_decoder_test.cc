#include "formats/text_decoder.h"

#include "formats/folded_writer.h"
#include "support/catch.h"

namespace hearth::formats {
namespace {

ProfileBatch decoded(std::string_view text, TextLayout layout = TextLayout::groups,
                     const TextProfile& profile = {}) {
  ProfileBatch batch;
  const Status status = decode_text(text, layout, profile, {}, batch);
  INFO((status ? "" : status.error().message));
  REQUIRE(status);
  REQUIRE(batch.validate());
  return batch;
}
std::string refusal(std::string_view text, TextLayout layout = TextLayout::groups,
                    const DecodeLimits& limits = {}) {
  ProfileBatch batch;
  const Status status = decode_text(text, layout, {}, limits, batch);
  if (status) return "accepted";
  CHECK(status.error().code == ErrorCode::invalid_argument);
  CHECK(batch.strings.empty());
  return status.error().message;
}

TEST_CASE("the last space splits a folded line into stack and value", "[formats]") {
  CHECK(write_folded(decoded("main thing;f (x y) 7\nmain thing 2\n"), 0) ==
        "main thing 2\nmain thing;f (x y) 7\n");
}

TEST_CASE("lines of one stack are one sample with their sum", "[formats]") {
  const ProfileBatch batch = decoded("a;b 1\na;c 5\na;b 2");
  CHECK(batch.samples.size() == 2);
  CHECK(write_folded(batch, 0) == "a;b 3\na;c 5\n");
}

TEST_CASE("a distinct frame is one function, samples are leaf first", "[formats]") {
  const ProfileBatch batch = decoded("a;b;a 1\nb 1\n");
  REQUIRE(batch.functions.size() == 2);
  CHECK(batch.mappings.size() == 1);
  CHECK(batch.functions.name == batch.functions.system_name);
  CHECK(batch.samples.frames == std::vector<uint32_t>{0, 1, 0, 1});
  CHECK(batch.strings[batch.functions.name[batch.lines.function[batch.stack(1)[0]]]] == "b");
}

TEST_CASE("empty lines and lines without a space are skipped", "[formats]") {
  CHECK(write_folded(decoded("\n\na;b 1\r\nskipped\n\n"), 0) == "a;b 1\n");
  CHECK(decoded("").samples.size() == 0);
}

TEST_CASE("the lines layout counts, and takes numbers as part of the frame", "[formats]") {
  CHECK(write_folded(decoded("a;b 5\na;b 5\nc\n", TextLayout::lines), 0) == "a;b 5 2\nc 1\n");
}

TEST_CASE("types, period, time and multiplier come from the dialect", "[formats]") {
  TextProfile profile{"cpu", "nanoseconds", "cpu", "nanoseconds", 10'000'000, 10'000'000, 77, 88};
  const ProfileBatch batch = decoded("a 3\n", TextLayout::groups, profile);
  CHECK(batch.strings[batch.sample_types[0].type] == "cpu");
  CHECK(batch.strings[batch.sample_types[0].unit] == "nanoseconds");
  CHECK(batch.strings[batch.period_type.unit] == "nanoseconds");
  CHECK(batch.period == 10'000'000);
  CHECK(batch.time_ns == 77);
  CHECK(batch.duration_ns == 88);
  CHECK(batch.value(0, 0) == 30'000'000);
  CHECK(decoded("a 1\n").period_type.type == 0);
}

TEST_CASE("sums and products that overflow become negative", "[formats]") {
  TextProfile profile;
  profile.multiplier = 10'000'000;
  CHECK(decoded("a 4611686018427387\n", TextLayout::groups, profile).value(0, 0) < 0);
  CHECK(decoded("a 9223372036854775807\na 1\na 9223372036854775807\n").value(0, 0) < 0);
  CHECK(decoded("a -5\n").value(0, 0) == -5);
  CHECK(decoded("a +5\n").value(0, 0) == 5);
}

TEST_CASE("malformed text is refused with the line", "[formats]") {
  CHECK_THAT(refusal("a 1\nb x\n"),
             Catch::Contains("line 2") && Catch::Contains("'x' is not a 64-bit integer"));
  for (const char* value : {"1.5", "", "0x10", "9223372036854775808", "+-1", "--1", "1e3", "+"}) {
    INFO(value);
    CHECK_THAT(refusal("a " + std::string(value)), Catch::Contains("not a 64-bit integer"));
  }
  CHECK_THAT(refusal("a\xff 1"), Catch::Contains("UTF-8"));
  CHECK_THAT(refusal(std::string(kTextLineMax, 'a') + " 1"), Catch::Contains("want at most"));
  CHECK_THAT(refusal(std::string(kTextLineMax + 1, 'a'), TextLayout::lines),
             Catch::Contains("want at most"));
  CHECK(refusal(std::string(kTextLineMax, 'a'), TextLayout::lines) == "accepted");
}

TEST_CASE("limits hold for text, too", "[formats]") {
  DecodeLimits limits;
  limits.samples_max = 2;
  CHECK(refusal("a 1\nb 1\na 1\n", TextLayout::groups, limits) == "accepted");
  CHECK_THAT(refusal("a 1\nb 1\nc 1\n", TextLayout::groups, limits),
             Catch::Contains("samples count limit"));
  limits = {};
  limits.stack_depth_max = 2;
  limits.string_max_bytes = 3;
  ProfileBatch batch;
  REQUIRE(decode_text("a;b;c;long_name 1", TextLayout::groups, {}, limits, batch));
  REQUIRE(batch.validate());
  CHECK(write_folded(batch, 0) == "[truncated];ame 1\n");
  CHECK(batch.repairs.stacks_truncated == 1);
  CHECK(batch.repairs.strings_truncated == 1);
}

}  // namespace
}  // namespace hearth::formats
