#include "cli/profile_text.h"

#include "formats/decode.h"
#include "support/catch.h"

namespace hearth::cli {
namespace {

// Stacks are written root first; the decoder of folded text builds the batch.
struct Folded {
  explicit Folded(std::string_view text) {
    formats::DecodeOptions options;
    options.hint = formats::Format::folded;
    REQUIRE(decoder.decode(text, options));
  }
  formats::Decoder decoder;
};

TEST_CASE("amounts are scaled as pprof scales them", "[cli]") {
  CHECK(format_amount(1'230'000'000, "nanoseconds") == "1.23s");
  CHECK(format_amount(10'000'000, "nanoseconds") == "10ms");
  CHECK(format_amount(1500, "microseconds") == "1.50ms");
  CHECK(format_amount(7'200'000'000'000, "nanoseconds") == "2hrs");
  CHECK(format_amount(1536, "bytes") == "1.50kB");
  CHECK(format_amount(512, "bytes") == "512B");
  CHECK(format_amount(-2048, "bytes") == "-2kB");
  CHECK(format_amount(1234, "count") == "1234");
  CHECK(format_amount(0, "nanoseconds") == "0ns");
}

TEST_CASE("top sums own and called time; recursion counts once", "[cli]") {
  Folded folded("main;work;work 6\nmain;idle 3\nmain 1\n");
  const Top top = make_top(folded.decoder.batch(), 0);
  CHECK(top.total == 10);
  REQUIRE(top.rows.size() == 3);
  CHECK(top.rows[0].name == "work");
  CHECK(top.rows[0].flat == 6);
  CHECK(top.rows[0].cum == 6);
  CHECK(top.rows[2].name == "main");
  CHECK(top.rows[2].flat == 1);
  CHECK(top.rows[2].cum == 10);
  CHECK(format_top(top, {.unit = "count", .rows_max = 2}) ==
        "Showing 2 of 3 functions, which account for 9 (90.00%) of 10\n"
        "      flat   flat%    sum%        cum    cum%  name\n"
        "         6  60.00%  60.00%          6  60.00%  work\n"
        "         3  30.00%  90.00%          3  30.00%  idle\n");
}

TEST_CASE("the call tree shows the largest nodes below their callers", "[cli]") {
  Folded folded("main;work;parse 6\nmain;idle 3\nmain;work 1\n");
  const ProfileBatch& batch = folded.decoder.batch();
  CHECK(format_call_tree(batch, 0, {.unit = "count"}) ==
        "       cum    cum%       flat  name\n"
        "        10 100.00%          0  total\n"
        "        10 100.00%          0    main\n"
        "         7  70.00%          1      work\n"
        "         6  60.00%          6        parse\n"
        "         3  30.00%          3      idle\n");
  const std::string cut = format_call_tree(batch, 0, {.unit = "count", .rows_max = 3});
  CHECK(cut.find("work") != std::string::npos);
  CHECK(cut.find("parse") == std::string::npos);
}

TEST_CASE("colour appears only when asked for", "[cli]") {
  Folded folded("main 10\n");
  const Top top = make_top(folded.decoder.batch(), 0);
  CHECK(format_top(top, {.unit = "count"}).find('\x1b') == std::string::npos);
  CHECK(format_top(top, {.unit = "count", .colour = true}).find('\x1b') != std::string::npos);
}

}  // namespace
}  // namespace hearth::cli
