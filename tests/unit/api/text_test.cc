#include <limits>

#include "api/app_name.h"
#include "api/attime.h"
#include "api/error_table.h"
#include "api/json_writer.h"
#include "api/media_type.h"
#include "support/catch.h"

using namespace hearth;
using namespace hearth::api;

TEST_CASE("an application name carries labels in braces", "[api]") {
  const auto name = parse_app_name("my-app.cpu{ a = 1 , otel.scope.name=com.grafana/go,d=e=f,a=2}");
  REQUIRE(name);
  CHECK(name->app == "my-app.cpu");
  CHECK(name->labels ==
        std::vector<Label>{{"a", "2"}, {"otel.scope.name", "com.grafana/go"}, {"d", "e=f"}});
}

TEST_CASE("without a closing brace the unfinished label is lost", "[api]") {
  CHECK(parse_app_name("app{a=1")->labels.empty());
  CHECK(parse_app_name("app{a=1,b=2")->labels == std::vector<Label>{{"a", "1"}});
  CHECK(parse_app_name("app{a=1}junk")->labels == std::vector<Label>{{"a", "1"}});
  CHECK(parse_app_name("app{}")->labels.empty());
  CHECK(parse_app_name("app{a}")->labels.empty());
}

TEST_CASE("an application name needs an app of known characters", "[api]") {
  for (const char* text : {"", "{a=1}", "my app", "a$", "app{a b=1}"}) {
    INFO(text);
    const auto name = parse_app_name(text);
    REQUIRE_FALSE(name);
    CHECK(name.error().code == ErrorCode::invalid_argument);
    CHECK(name.error().message.starts_with("name: "));
  }
}

TEST_CASE("the suffix of a text app chooses its metric", "[api]") {
  CHECK(split_text_app("foo")->metric.name == "process_cpu");
  CHECK(split_text_app("foo")->service == "foo");
  CHECK(split_text_app("a.b.alloc_space")->metric.sample_unit == "bytes");
  CHECK(split_text_app("a.b.alloc_space")->service == "a.b");
  CHECK(split_text_app("python.example").error().message.find("unknown profile type") !=
        std::string::npos);
}

TEST_CASE("times are days, numbers by their length, or now with an offset", "[api]") {
  constexpr int64_t kNow = 1'577'836'800'000'000'000;
  CHECK(parse_attime("20200101", 0) == kNow);
  CHECK(parse_attime("1577836800", 0) == kNow);
  CHECK(parse_attime("1577836800000", 0) == kNow);
  CHECK(parse_attime("1577836800000000", 0) == kNow);
  CHECK(parse_attime("1577836800000000000", 0) == kNow);
  CHECK(parse_attime("0", kNow) == 0);
  CHECK(parse_attime("now", kNow) == kNow);
  CHECK(parse_attime("", kNow) == kNow);
  CHECK(parse_attime("now-1h", kNow) == kNow - 3'600'000'000'000);
  CHECK(parse_attime("anything+2min", kNow) == kNow + 120'000'000'000);
  CHECK(parse_attime("now - 1_d", kNow) == kNow - 86'400'000'000'000);
  CHECK(parse_attime("now-1M", kNow) == kNow - 30 * 86'400'000'000'000);
  CHECK(parse_attime("now-1", kNow) == kNow);
  CHECK(parse_attime("99999999999999999999", kNow) == std::numeric_limits<int64_t>::max());
}

TEST_CASE("accept entries are refused exactly where Go's parser refuses them", "[api]") {
  for (const char* text : {"a/b;c", ";", "a b", "", "a/b c", "a/", "a/b; q=1; q=2"}) {
    INFO(text);
    CHECK_FALSE(parse_media_type(text));
  }
  for (const char* text :
       {"text", "*/*", "a/b;", "application/json; charset=\"utf-8\"", "text/plain;q=0.5"}) {
    INFO(text);
    CHECK(parse_media_type(text));
  }
  CHECK(parse_media_type("*/*;Allow-Utf8-Labelnames=true")->param("allow-utf8-labelnames") ==
        "true");
}

TEST_CASE("every error code has a status in every dialect", "[api]") {
  struct Want {
    ErrorCode code;
    const char* connect;
    int connect_status, plain_status, payload_status;
  };
  for (const Want& want : {Want{ErrorCode::invalid_argument, "invalid_argument", 400, 400, 422},
                           Want{ErrorCode::unauthenticated, "unauthenticated", 401, 401, 401},
                           Want{ErrorCode::not_found, "not_found", 404, 404, 404},
                           Want{ErrorCode::conflict, "already_exists", 409, 409, 409},
                           Want{ErrorCode::too_large, "invalid_argument", 400, 413, 422},
                           Want{ErrorCode::resource_exhausted, "resource_exhausted", 429, 429, 429},
                           Want{ErrorCode::unimplemented, "unimplemented", 501, 501, 422},
                           Want{ErrorCode::unavailable, "unavailable", 503, 503, 503},
                           Want{ErrorCode::deadline_exceeded, "deadline_exceeded", 504, 504, 504},
                           Want{ErrorCode::cancelled, "canceled", 499, 499, 499},
                           Want{ErrorCode::internal, "internal", 500, 500, 500}}) {
    INFO(want.connect);
    const ErrorRow& row = error_row(want.code);
    CHECK(row.code == want.code);
    CHECK(row.connect == want.connect);
    CHECK(row.connect_status == want.connect_status);
    CHECK(row.plain_status == want.plain_status);
    CHECK(row.payload_status == want.payload_status);
  }
  CHECK(code_of_status(404) == "unimplemented");
  CHECK(code_of_status(413) == "invalid_argument");
  CHECK(code_of_status(422) == "unknown");
  CHECK(is_retryable(503));
  CHECK_FALSE(is_retryable(504));
}

TEST_CASE("JSON is valid whatever bytes a string holds", "[api]") {
  JsonWriter json;
  json.begin_object()
      .field("a", "\x01\"\\\n\xff")
      .field("b", int64_t{-5})
      .field("c", 0.5)
      .field("d", true);
  json.key("e")
      .begin_array()
      .value(1)
      .value(uint64_t{UINT64_MAX})
      .null()
      .begin_object()
      .end_object()
      .end_array();
  json.field("f", std::numeric_limits<double>::quiet_NaN()).end_object();
  CHECK(json.take() ==
        "{\"a\":\"\\u0001\\\"\\\\\\n\xef\xbf\xbd\",\"b\":-5,\"c\":0.5,\"d\":true,"
        "\"e\":[1,18446744073709551615,null,{}],\"f\":null}");
}
