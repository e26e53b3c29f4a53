#include <nlohmann/json.hpp>

#include "api_fixture.h"
#include "base/bytes.h"

using namespace hearth;
using nlohmann::json;
using test::Api;

namespace {

const std::string kTimes = "from=" + std::to_string(Api::kTimeMs - 60'000) +
                           "&to=" + std::to_string(Api::kTimeMs + 60'000);
const std::string kType = "&t=process_cpu:cpu:nanoseconds:cpu:nanoseconds";

json ui(Api& api, const std::string& call, int status = 200) {
  const auto response = api.get("/api/ui/v1/" + call);
  INFO(response.body);
  CHECK(response.status == status);
  return json::parse(response.body, nullptr, false);
}

/// Headers of the trees of a binary answer.
std::vector<json> tree_headers(const net::Response& response) {
  std::vector<json> headers;
  ByteReader in(response.body);
  while (in.left() > 0) {
    CHECK(in.u8() == 2);
    ByteReader payload(in.bytes(in.u32()));
    headers.push_back(json::parse(payload.bytes(payload.u32()), nullptr, false));
  }
  CHECK(in.done());
  return headers;
}

}  // namespace

TEST_CASE("the page learns what server it talks to", "[api]") {
  Api api;
  const json about = ui(api, "about");
  CHECK(about["tenancy"] == false);
  CHECK(about["server_time"] == 1'700'000'000'000);
  CHECK(about["limits"]["frames_max"] == 1'000'000);
  const auto response = api.get("/api/ui/v1/about");
  CHECK(response.headers.get("Content-Type") == "application/json; charset=utf-8");
  CHECK(response.headers.get("Cache-Control") == "no-store");
}

TEST_CASE("the onboarding page sees the first profile and the refused ones", "[api]") {
  Api api;
  CHECK(ui(api, "waiting")["empty"] == true);
  api.push_cpu("checkout", {{"a", 1}});
  CHECK(api.post("/ingest?name=shop&format=pprof", "nonsense", "").status == 422);
  const json waiting = ui(api, "waiting");
  CHECK(waiting["empty"] == false);
  CHECK(waiting["received"] == 1);
  CHECK(waiting["rejected"] == 1);
  CHECK(waiting["services"] == json{"checkout"});
  const json rejection = ui(api, "rejections")["rejections"][0];
  CHECK(rejection["status"] == 422);
  CHECK(rejection["service"] == "shop");
  CHECK(rejection["path"] == "/ingest");
  CHECK(rejection["bytes"] == 8);
}

TEST_CASE("services are listed with values when asked", "[api]") {
  Api api;
  CHECK(ui(api, "services?" + kTimes)["empty"] == true);
  api.push_cpu("checkout", {{"a;b", 5}});
  const json plain = ui(api, "services?" + kTimes);
  CHECK(plain["type"] == "process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  CHECK(plain["services"][0]["name"] == "checkout");
  CHECK(plain["services"][0]["total"].is_null());
  CHECK(plain["services"][0]["last_seen"] == Api::kTimeMs);
  const json detail = ui(api, "services?detail=1&buckets=4&" + kTimes);
  CHECK(detail["services"][0]["total"] == 5);
  CHECK(detail["services"][0]["previous"].is_null());
  CHECK(detail["services"][0]["spark"].size() == 4);
  CHECK(detail["services"][0]["top"][0]["name"] == "b");
  CHECK(detail["cost"]["partial"] == json::array());
}

TEST_CASE("labels and their values come with cardinality and share", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"a", 30}}, Api::kTimeNs, {{"region", "eu"}});
  api.push_cpu("checkout", {{"a", 10}}, Api::kTimeNs, {{"region", "us"}});
  CHECK(ui(api, "labels?s=checkout&" + kTimes)["labels"] ==
        json::parse(R"([{"name":"region","values":2}])"));
  const json values = ui(api, "label-values?label=region&" + kTimes + kType);
  CHECK(values["values"][0] == json::parse(R"({"value":"eu","total":30,"share":0.75})"));
  const json named = ui(api, "label-values?label=region&q=U&limit=1&" + kTimes);
  CHECK(named["values"] == json::parse(R"([{"value":"eu","total":null,"share":null}])"));
  CHECK(named["matched"] == 2);
  CHECK(ui(api, "label-values?" + kTimes, 400)["field"] == "label");
}

TEST_CASE("a series adds up over its groups", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"a", 30}}, Api::kTimeNs, {{"region", "eu"}});
  api.push_cpu("checkout", {{"a", 10}}, Api::kTimeNs, {{"region", "us"}});
  const json series = ui(api, "series?g=region&gn=1&step=15000&" + kTimes + kType);
  CHECK(series["sum"] == 40);
  CHECK(series["groups"][0]["value"] == "eu");
  CHECK(series["other"]["sum"] == 10);
  CHECK(series["total"].size() == series["other"]["points"].size());
  CHECK(ui(api, "series?step=5&" + kTimes + kType, 400)["field"] == "step");
}

TEST_CASE("trees are binary, whole or from a path", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"main;work;leaf", 6}, {"main;idle", 4}});
  const auto response = api.get("/api/ui/v1/tree?" + kTimes + kType);
  CHECK(response.headers.get("Content-Type") == "application/x-hearth-tree");
  const json header = tree_headers(response).at(0);
  CHECK(header["nodes"] == 5);
  CHECK(header["totals"] == json{10});
  CHECK(header["unit"] == "nanoseconds");
  CHECK(tree_headers(api.get("/api/ui/v1/tree?path=main&path=work&" + kTimes +
                             kType))[0]["totals"] == json{6});
  CHECK(tree_headers(api.get("/api/ui/v1/tree?o=bu&path=leaf&" + kTimes + kType))[0]["totals"] ==
        json{6});
  CHECK(ui(api, "tree?path=no&" + kTimes + kType, 404)["field"] == "path");
  CHECK(ui(api, "tree?o=up&" + kTimes + kType, 400)["field"] == "o");
  const auto posted = api.post("/api/ui/v1/tree",
                               R"({"path":["main","work"],"from":)" + std::to_string(Api::kTimeMs) +
                                   R"(,"to":)" + std::to_string(Api::kTimeMs) +
                                   R"(,"t":"process_cpu:cpu:nanoseconds:cpu:nanoseconds"})");
  CHECK(tree_headers(posted)[0]["totals"] == json{6});
}

TEST_CASE("a sandwich is two trees around one function", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"main;work;leaf", 6}, {"main;leaf", 4}});
  const auto headers = tree_headers(api.get("/api/ui/v1/sandwich?fn=leaf&" + kTimes + kType));
  REQUIRE(headers.size() == 2);
  CHECK(headers[0]["fn"] == json::parse(R"({"total":10,"self":10,"paths":2,"recursive":false})"));
  CHECK(headers[1]["tree"] == 1);
  CHECK(ui(api, "sandwich?fn=no&" + kTimes + kType, 404)["field"] == "fn");
  CHECK(ui(api, "sandwich?" + kTimes + kType, 400)["field"] == "fn");
}

TEST_CASE("the function table is exact and searchable", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"main;work;leaf", 6}, {"main;leaf", 4}});
  const json table = ui(api, "functions?" + kTimes + kType);
  CHECK(table["total"] == 10);
  CHECK(table["names"] == json::parse(R"(["leaf","main","work"])"));
  CHECK(table["totals"] == json::parse("[10,10,6]"));
  CHECK(table["matched"].is_null());
  const json found = ui(api, "functions?q=/^wo/&path=main&" + kTimes + kType);
  CHECK(found["rows"] == 1);
  CHECK(found["matched"] ==
        json::parse(R"({"functions":1,"value":6,"path_value":10,"in_path":6})"));
  CHECK(ui(api, "functions?q=/(/&" + kTimes + kType, 400)["field"] == "q");
  CHECK(ui(api, "functions?sort=nope&" + kTimes + kType, 400)["field"] == "sort");
}

TEST_CASE("errors of the page name the parameter at fault", "[api]") {
  Api api;
  CHECK(ui(api, "labels?to=5", 400)["field"] == "from");
  CHECK(ui(api, "labels?from=5", 400)["field"] == "to");
  CHECK(ui(api, "labels?from=6&to=5", 400)["field"] == "from");
  const json filter = ui(api, "labels?f=region%20%7D&" + kTimes, 400);
  CHECK(filter["code"] == "invalid_argument");
  CHECK(filter["field"] == "f");
  CHECK(filter["column"] == 7);
  CHECK(ui(api, "tree?t=a:b&" + kTimes, 400)["field"] == "t");
  CHECK(ui(api, "tree?" + kTimes, 400)["field"] == "t");
}
