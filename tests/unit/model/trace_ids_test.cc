#include "model/trace_ids.h"

#include "support/catch.h"

using namespace hearth;

TEST_CASE("a span id is 16 hexadecimal digits and nothing else", "[model]") {
  CHECK(parse_span_id("00000bac2a5ab0c7") == 0x00000bac2a5ab0c7);
  CHECK(parse_span_id("FFFFffffFFFFffff") == UINT64_MAX);
  CHECK(parse_span_id("0000000000000000") == 0);
  for (const char* text :
       {"", "short", "00000bac2a5ab0c", "00000bac2a5ab0c70", "00000bac2a5ab0cg", "0x000bac2a5ab0c7",
        "-0000bac2a5ab0c7", "+0000bac2a5ab0c7", " 0000bac2a5ab0c7", "0000bac2a5ab0c7 "})
    CHECK_FALSE(parse_span_id(text));
}

TEST_CASE("a trace id is 32 hexadecimal digits and nothing else", "[model]") {
  CHECK(parse_trace_id("0123456789abcdefFEDCBA9876543210") ==
        Id128{0x0123456789abcdef, 0xfedcba9876543210});
  for (const char* text : {"", "0123456789abcdef", "0123456789abcdef0123456789abcde",
                           "0123456789abcdef0123456789abcdef0", "0123456789abcdeg0123456789abcdef",
                           "0123456789abcdef-123456789abcdef"})
    CHECK_FALSE(parse_trace_id(text));
}
