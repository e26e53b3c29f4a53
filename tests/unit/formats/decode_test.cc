#include "formats/decode.h"

#include "base/gzip_codec.h"
#include "base/zstd_codec.h"
#include "formats/folded_writer.h"
#include "support/catch.h"
#include "support/pprof_builder.h"

namespace hearth::formats {
namespace {

std::string pprof() {
  return test::PprofBuilder().sample_type("cpu", "nanoseconds").stack("main;work", {3}).build();
}
constexpr std::string_view kText = "main;work 3\n";

TEST_CASE("content decides between pprof and text, compressed or not", "[formats]") {
  Decoder decoder;
  for (const std::string& plain : {pprof(), std::string(kText)}) {
    for (const std::string& body :
         {plain, gzip_compress(plain), zstd_compress(plain, 3),
          gzip_compress(zstd_compress(plain, 3)),
          gzip_compress(plain.substr(0, 5)) + gzip_compress(plain.substr(5))}) {
      REQUIRE(decoder.decode(body, {}));
      CHECK(decoder.format() == (plain == kText ? Format::folded : Format::pprof));
      CHECK(decoder.raw() == plain);
      REQUIRE(decoder.batch().validate());
      CHECK(write_folded(decoder.batch(), 0) == kText);
    }
  }
}

TEST_CASE("a hint is obeyed", "[formats]") {
  Decoder decoder;
  DecodeOptions options;
  options.hint = Format::pprof;
  CHECK_THAT(decoder.decode(kText, options).error().message, Catch::StartsWith("pprof: "));
  options.hint = Format::lines;
  REQUIRE(decoder.decode(kText, options));
  CHECK(write_folded(decoder.batch(), 0) == "main;work 3 1\n");
  options.hint = Format::folded;
  CHECK(decoder.decode(kText, options));
  CHECK_FALSE(decoder.decode("main;work three\n", options));
  CHECK(decoder.batch().samples.size() == 0);
}

TEST_CASE("what is neither gets the error of the likelier format", "[formats]") {
  Decoder decoder;
  CHECK_THAT(decoder.decode("main;work three\n", {}).error().message,
             Catch::StartsWith("folded text: "));
  CHECK_THAT(decoder.decode(std::string("\x0a\x7f\x01\x02", 4), {}).error().message,
             Catch::StartsWith("pprof: "));
  CHECK_THAT(decoder.decode("", {}).error().message, Catch::Contains("empty profile"));
}

TEST_CASE("compressed profiles stop at the size limit", "[formats]") {
  Decoder decoder;
  DecodeOptions options;
  const std::string bomb(1 << 20, 'a');
  options.limits.profile_max_bytes = bomb.size() - 1;
  for (const std::string& body :
       {gzip_compress(bomb), zstd_compress(bomb, 3), gzip_compress(zstd_compress(bomb, 3))}) {
    const Status status = decoder.decode(body, options);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::too_large);
    CHECK(status.error().reason == "profile_size_limit");
    CHECK_THAT(status.error().message, Catch::Contains("exceeds maximum allowed size"));
  }
  options.limits.profile_max_bytes = bomb.size();
  options.hint = Format::lines;
  CHECK_THAT(decoder.decode(zstd_compress(bomb, 3), options).error().message,
             Catch::Contains("line 1"));
}

TEST_CASE("damaged and too deep compression is refused", "[formats]") {
  Decoder decoder;
  const std::string zstd = zstd_compress(pprof(), 3);
  for (const std::string& body :
       {gzip_compress(pprof()).substr(0, 30), zstd.substr(0, zstd.size() - 3), zstd + "x",
        zstd.substr(0, 5), gzip_compress(gzip_compress(gzip_compress(pprof())))}) {
    const Status status = decoder.decode(body, {});
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::invalid_argument);
    CHECK(status.error().reason == "malformed_profile");
  }
}

}  // namespace
}  // namespace hearth::formats
