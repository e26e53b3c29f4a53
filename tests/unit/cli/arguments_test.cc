#include "cli/push_target.h"
#include "cli/query_text.h"
#include "cli/time_argument.h"
#include "support/catch.h"

namespace hearth::cli {
namespace {

TEST_CASE("times are relative, RFC 3339 or seconds since 1970", "[cli]") {
  constexpr int64_t kSecond = 1'000'000'000;
  constexpr int64_t kNow = 1'800'000'000 * kSecond;
  CHECK(*parse_time("now", kNow) == kNow);
  CHECK(*parse_time("now-1h", kNow) == kNow - 3600 * kSecond);
  CHECK(*parse_time("now+1d", kNow) == kNow + 86'400 * kSecond);
  CHECK(*parse_time("1", kNow) == kSecond);
  CHECK(*parse_time("1700000000", kNow) == 1'700'000'000 * kSecond);
  CHECK(*parse_time("1700000000123", kNow) == 1'700'000'000'123'000'000);
  CHECK(*parse_time("1970-01-02T00:00:01Z", kNow) == 86'401 * kSecond);
  CHECK(*parse_time("1970-01-01T01:00:00.5+01:00", kNow) == kSecond / 2);
  CHECK(*parse_time("2024-02-29T12:00:00-05:30", kNow) == 1'709'227'800 * kSecond);
  for (const char* bad :
       {"", "yesterday", "now-", "now-1", "now-1x", "now 1h", "2024-02-30T00:00:00Z", "2024-02-29",
        "2024-02-29T25:00:00Z", "2024-02-29T12:00:00", "-5"}) {
    INFO(bad);
    CHECK_FALSE(parse_time(bad, kNow));
  }
  CHECK(format_time(1'709'227'800 * kSecond) == "2024-02-29 17:30:00 UTC");
}

TEST_CASE("a query is a type and a selector", "[cli]") {
  const auto query = parse_query_text("process_cpu:cpu:nanoseconds:cpu:nanoseconds{a=\"{b}\"}");
  REQUIRE(query);
  CHECK(query->profile_type == "process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  CHECK(query->selector == "{a=\"{b}\"}");
  CHECK(parse_query_text("memory:alloc_space:bytes::")->selector == "{}");
  for (const char* bad : {"", "cpu", "{a=\"b\"}", "a:b:c{}"}) CHECK_FALSE(parse_query_text(bad));
}

TEST_CASE("the service is named by flag, label or file", "[cli]") {
  const std::vector<Label> labels = {{"region", "eu"}, {"service_name", "shop"}};
  CHECK(service_of("given", labels, "cpu.pb.gz") == "given");
  CHECK(service_of("", labels, "cpu.pb.gz") == "shop");
  CHECK(service_of("", {}, "/tmp/my cpu.pb.gz") == "my_cpu");
  CHECK(service_of("", {}, "v1.2.folded") == "v1.2");
  CHECK(service_of("", {}, "-") == "stdin");
  CHECK(*ingest_target("shop", labels) == "/ingest?name=shop%7Bregion%3Deu%7D");
  CHECK_FALSE(ingest_target("a{b", {}));
}

TEST_CASE("labels are key=value", "[cli]") {
  CHECK(*parse_label("a=b=c") == Label{"a", "b=c"});
  for (const char* bad : {"", "a", "=b", "a=b,c", "a=b}"}) CHECK_FALSE(parse_label(bad));
}

}  // namespace
}  // namespace hearth::cli
