// What is refused, and in which words.
#include <functional>

#include "pprof_decode.h"

namespace hearth::formats {
namespace {

using test::PprofBuilder;
using test::ProtoWriter;

struct Malformed {
  const char* name;
  std::function<std::string()> body;
  const char* message;
};

std::string with(const ProtoWriter& fields) {
  return cpu().stack("a;b", {1}).raw(fields).build();
}
std::string with_raw(std::string_view bytes) {
  return with(ProtoWriter().raw(bytes));
}
ProtoWriter message(uint32_t field, const ProtoWriter& body) {
  return ProtoWriter().message(field, body);
}
ProtoWriter one(uint32_t field, uint64_t value) {
  return ProtoWriter().varint(field, value);
}
constexpr uint64_t kMinusOne = UINT64_MAX;
using namespace std::string_view_literals;
using namespace std::string_literals;

const Malformed kMalformed[] = {
    {"no bytes", [] { return std::string(); }, "empty profile"},
    {"no sample type", [] { return PprofBuilder().build(); }, "empty profile"},
    {"no string table", [] { return message(1, {}).bytes; }, "string_table is empty"},
    {"string 0 not empty", [] { return cpu().first_string("x").build(); },
     "string_table[0] is not empty"},
    {"invalid UTF-8", [] { return with(ProtoWriter().text(6, "ab\xff")); }, "string_table at byte"},
    {"UTF-8 cut off", [] { return with(ProtoWriter().text(6, "abcdefgh\xe2\x82")); },
     "invalid UTF-8"},
    {"a surrogate", [] { return with(ProtoWriter().text(6, "\xed\xa0\x80")); }, "invalid UTF-8"},
    {"location id 0", [] { return with(message(4, one(3, 7))); }, "location id is 0"},
    {"reference to location 0", [] { return with(message(2, one(1, 0).varint(2, 1))); },
     "location id is 0"},
    {"packed reference to location 0",
     [] { return with(message(2, ProtoWriter().packed(1, {1, 0}).varint(2, 1))); },
     "location id is 0"},
    {"reference to location 0 beside wide ids",
     [] { return with(message(2, ProtoWriter().packed(1, {uint64_t{1} << 40U, 0}).varint(2, 1))); },
     "location id is 0"},
    {"function id 0", [] { return with(message(5, one(2, 1))); }, "function id is 0"},
    {"reference to function 0", [] { return with(message(4, one(1, 9).message(4, one(2, 3)))); },
     "function id is 0"},
    {"mapping id 0", [] { return with(message(3, one(2, 1))); }, "mapping id is 0"},
    {"too few values", [] { return with(message(2, one(1, 1))); }, "values"},
    {"too many values",
     [] { return with(message(2, ProtoWriter().varint(1, 1).packed(2, {1, 2}))); }, "values"},
    {"every sample with too many values",
     [] { return cpu().stack("a", {1, 2}).stack("b", {1, 2}).build(); }, "samples have 2 values"},
    {"concatenated profiles", [] { return cpu().time_ns(1).time_ns(2).build(); },
     "concatenated profiles"},
    {"sample type name with a dash",
     [] { return PprofBuilder().sample_type("inuse-space", "bytes").build(); }, "contains '-'"},
    {"sample type name out of range", [] { return cpu().raw(message(1, one(1, 99))).build(); },
     "out of range"},
    {"sample type name negative", [] { return cpu().raw(message(1, one(1, kMinusOne))).build(); },
     "out of range"},
    {"sample type unit negative", [] { return with(message(1, one(1, 1).varint(2, kMinusOne))); },
     "negative"},
    {"period type negative", [] { return with(message(11, one(1, kMinusOne))); }, "negative"},
    {"comment negative", [] { return with(one(13, kMinusOne)); }, "negative"},
    {"packed comment negative", [] { return with(ProtoWriter().packed(13, {1, kMinusOne})); },
     "negative"},
    {"drop_frames negative", [] { return with(one(7, kMinusOne)); }, "negative"},
    {"label key out of range",
     [] { return with(message(2, one(1, 1).varint(2, 1).message(3, one(1, 99).varint(2, 1)))); },
     "out of range"},
    {"label str out of range",
     [] { return with(message(2, one(1, 1).varint(2, 1).message(3, one(1, 1).varint(2, 99)))); },
     "out of range"},
    {"label key negative",
     [] {
       return with(message(2, one(1, 1).varint(2, 1).message(3, one(1, kMinusOne).varint(2, 1))));
     },
     "out of range"},
    {"label unit negative",
     [] {
       return with(message(
           2, one(1, 1).varint(2, 1).message(3, one(1, 1).varint(3, 1).varint(4, kMinusOne))));
     },
     "negative"},
    {"function name out of range", [] { return with(message(5, one(1, 9).varint(2, 99))); },
     "name of function 2"},
    {"function system name out of range", [] { return with(message(5, one(1, 9).varint(3, 99))); },
     "system name of function 2"},
    {"function file out of range", [] { return with(message(5, one(1, 9).varint(4, 99))); },
     "file of function 2"},
    {"function name 2^32", [] { return with(message(5, one(1, 9).varint(2, uint64_t{1} << 32U))); },
     "out of range"},
    {"mapping file out of range", [] { return with(message(3, one(1, 9).varint(5, 99))); },
     "file of mapping 0"},
    {"mapping build id out of range", [] { return with(message(3, one(1, 9).varint(6, 99))); },
     "build id of mapping 0"},
    {"tag of field 0", [] { return with_raw("\x02\x00"sv); }, "bad tag"},
    {"tag of six bytes", [] { return with_raw("\x88\x80\x80\x80\x80\x00"sv); }, "bad tag"},
    {"tag cut off", [] { return message(2, ProtoWriter().raw("\x80")).bytes; }, "sample"},
    {"varint of eleven bytes",
     [] { return with_raw("\x48\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"sv); },
     "malformed field"},
    {"packed id of eleven bytes",
     [] {
       return with(
           message(2, ProtoWriter().text(1, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01")));
     },
     "sample"},
    {"packed ids cut off", [] { return with(message(2, ProtoWriter().text(1, "\x01\x80"))); },
     "sample"},
    {"packed values cut off", [] { return with(message(2, ProtoWriter().text(2, "\x81"))); },
     "sample"},
    {"packed comments cut off", [] { return with(ProtoWriter().text(13, "\x81")); }, "profile"},
    {"varint past the end of its message",
     [] { return with(message(2, ProtoWriter().tag(2, 0).raw("\x81"))); }, "sample"},
    {"length past the end of the profile", [] { return with_raw("\x32\x7f"); }, "profile"},
    {"length past the end of its message",
     [] { return with(message(2, ProtoWriter().tag(1, 2).raw("\x03\x01"))); }, "sample"},
    {"length of 2 GiB", [] { return with_raw("\x32\xff\xff\xff\xff\x07"); }, "profile"},
    {"length of 2^64 - 1", [] { return with_raw("\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"); },
     "profile"},
    {"fixed64 past the end", [] { return cpu().build() + "\xc1\x06\x01\x02"; }, "past the end"},
    {"group", [] { return with_raw("\xc3\x06\xc4\x06"); }, "malformed"},
    {"end of a group", [] { return with_raw("\xc4\x06"); }, "malformed"},
    {"wire type 6", [] { return with_raw("\xc6\x06"); }, "malformed"},
    {"wire type 7", [] { return with_raw("\xc7\x06"); }, "malformed"},
    {"sample as a varint", [] { return with(one(2, 1)); }, "wrong wire type"},
    {"time as bytes", [] { return with(ProtoWriter().text(9, "x")); }, "wrong wire type"},
    {"period as fixed64", [] { return with(ProtoWriter().fixed64(12, 1)); }, "wrong wire type"},
    {"string as fixed32", [] { return with(ProtoWriter().fixed32(6, 1)); }, "wrong wire type"},
    {"location id as fixed64",
     [] { return with(message(2, ProtoWriter().fixed64(1, 1).varint(2, 1))); }, "wrong wire type"},
    {"line as a varint", [] { return with(message(4, one(1, 9).varint(4, 1))); },
     "wrong wire type"},
    {"function id as bytes", [] { return with(message(5, ProtoWriter().text(1, "\x01"))); },
     "wrong wire type"},
    {"label key as bytes",
     [] { return with(message(2, one(2, 1).message(3, ProtoWriter().text(1, "k")))); },
     "wrong wire type"},
    {"gzip", [] { return cpu().stack("a", {1}).build_gzip(); }, "pprof"},
    {"JSON", [] { return std::string(R"({"profile": []})"); }, "pprof"},
    {"text", [] { return std::string("main;work 10\n"); }, "pprof"},
};

TEST_CASE("malformed profiles are refused with field, offset and cause", "[formats]") {
  ProfileBatch batch;
  for (const Malformed& c : kMalformed) {
    INFO(c.name);
    const Status status = decode(c.body(), batch);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::invalid_argument);
    CHECK(status.error().reason == "malformed_profile");
    CHECK_THAT(status.error().message, Catch::StartsWith("pprof: ") && Catch::Contains(c.message));
    CHECK(batch.strings.empty());
    CHECK(batch.samples.size() == 0);
  }
}

TEST_CASE("a profile cut at any byte is refused or decodes to a valid batch", "[formats]") {
  const std::string body =
      cpu().stack("main;work;leaf", {10}, {{"thread", "w"}}).time_ns(1).comment("c").build();
  ProfileBatch batch;
  for (size_t n = 0; n < body.size(); ++n) (void)decode(body.substr(0, n), batch);
  CHECK(decode(body, batch));
}

TEST_CASE("the error names the byte", "[formats]") {
  ProfileBatch batch;
  const Status status = decode("\x0a\x00\x32\x00\x48\x01\x0b"s, batch);
  REQUIRE_FALSE(status);
  CHECK_THAT(status.error().message, Catch::Contains("byte 7"));
}

}  // namespace
}  // namespace hearth::formats
