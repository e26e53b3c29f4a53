#include "api/message_codec.h"

#include "push.pb.h"
#include "querier.pb.h"
#include "support/catch.h"
#include "version_api.pb.h"

using namespace hearth;
using namespace hearth::api;

TEST_CASE("JSON messages use the field names that Pyroscope's clients know", "[api]") {
  querier::v1::SelectMergeStacktracesRequest request;
  request.set_profile_typeid("a:b:c:d:e");
  request.set_label_selector("{}");
  request.set_start(1'600'000'000'000);
  request.set_max_nodes(0);
  request.set_format(querier::v1::PROFILE_FORMAT_TREE);
  CHECK(
      *encode_message(request, Codec::json) ==
      R"({"profileTypeID":"a:b:c:d:e","labelSelector":"{}","start":"1600000000000","maxNodes":"0","format":"PROFILE_FORMAT_TREE"})");
  version::v1::VersionResponse version;
  version.set_querierapi(1);
  CHECK(*encode_message(version, Codec::json) == R"({"QuerierAPI":"1"})");
  querier::v1::SeriesResponse series;
  series.add_labels_set();
  CHECK(*encode_message(series, Codec::json) == R"({"labelsSet":[{}]})");
  querier::v1::FlameGraphDiff diff;
  diff.set_leftticks(1);
  CHECK(*encode_message(diff, Codec::json) == R"({"leftTicks":"1"})");
}

TEST_CASE("JSON requests may use either field name, numbers or strings, enum names or numbers",
          "[api]") {
  querier::v1::SelectMergeStacktracesRequest request;
  REQUIRE(decode_message(
      R"({"profile_typeID":"x","label_selector":"{}","start":"5","end":7,"format":2,"max_nodes":null})",
      Codec::json, request));
  CHECK(request.profile_typeid() == "x");
  CHECK(request.start() == 5);
  CHECK(request.end() == 7);
  CHECK(request.format() == querier::v1::PROFILE_FORMAT_TREE);
  CHECK_FALSE(request.has_max_nodes());
  push::v1::PushRequest push;
  REQUIRE(decode_message(R"({"series":[{"samples":[{"rawProfile":"AAE=","ID":"z"}]}]})",
                         Codec::json, push));
  CHECK(push.series(0).samples(0).raw_profile() == std::string("\0\1", 2));
  CHECK(push.series(0).samples(0).id() == "z");
}

TEST_CASE("JSON requests may hold fields and enum names that we do not know", "[api]") {
  querier::v1::SelectMergeStacktracesRequest request;
  REQUIRE(decode_message(
      R"({"nope":{"a":[1]},"format":"PROFILE_FORMAT_FUNCTIONS","start":1,"async":{"type":"NOPE"}})",
      Codec::json, request));
  CHECK(request.format() == querier::v1::PROFILE_FORMAT_UNSPECIFIED);
  CHECK(request.start() == 1);
  querier::v1::SelectSeriesRequest series;
  REQUIRE(decode_message(R"({"step":"NaN"})", Codec::json, series));
}

TEST_CASE("an empty body is a message in protobuf and an error in JSON", "[api]") {
  querier::v1::ProfileTypesRequest request;
  CHECK(decode_message("", Codec::proto, request));
  for (const char* text : {"", "{", "[]", "{\"start\":\"x\"}"}) {
    INFO(text);
    const auto status = decode_message(text, Codec::json, request);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == ErrorCode::invalid_argument);
  }
  CHECK_FALSE(decode_message("\x0a\xff", Codec::proto, request));
}
