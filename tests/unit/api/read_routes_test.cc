#include "api_fixture.h"
#include "profile.pb.h"
#include "querier.pb.h"

using namespace hearth;
using test::Api;
using test::kCpu;
using test::kRange;

namespace {

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}
const std::string kAll = R"("labelSelector":"{}")";

void push_worked_example(Api& api) {
  api.push_cpu("checkout", {{"a;b;e", 1}, {"a;c", 2}, {"a;c;d", 1}});
}

}  // namespace

TEST_CASE("SelectMergeStacktraces gives the worked example of the flame graph", "[api]") {
  Api api;
  push_worked_example(api);
  const auto response =
      api.query("SelectMergeStacktraces", "{" + kCpu + "," + kAll + "," + kRange + "}");
  CHECK(response.headers.get("Content-Type") == "application/json");
  CHECK(
      response.body ==
      R"({"flamegraph":{"names":["total","a","c","d","b","e"],"levels":[{"values":["0","4","0","0"]},)"
      R"({"values":["0","4","0","1"]},{"values":["0","1","0","4","0","3","2","2"]},)"
      R"({"values":["0","1","1","5","2","1","1","3"]}],"total":"4","maxSelf":"2"}})");
}

TEST_CASE("the JSON and protobuf answers hold the same flame graph", "[api]") {
  Api api;
  push_worked_example(api);
  const std::string body = "{" + kCpu + "," + kAll + "," + kRange + "}";
  querier::v1::SelectMergeStacktracesRequest request;
  REQUIRE(api::decode_message(body, api::Codec::json, request));
  const auto proto = api.post("/querier.v1.QuerierService/SelectMergeStacktraces",
                              request.SerializeAsString(), "application/proto");
  CHECK(proto.headers.get("Content-Type") == "application/proto");
  querier::v1::SelectMergeStacktracesResponse response;
  REQUIRE(response.ParseFromString(proto.body));
  CHECK(*api::encode_message(response, api::Codec::json) ==
        api.query("SelectMergeStacktraces", body).body);
}

TEST_CASE("a merge without data is one empty bar, no tree, no profile", "[api]") {
  Api api;
  const std::string body = kCpu + "," + kAll + "," + kRange;
  CHECK(api.query("SelectMergeStacktraces", "{" + body + "}").body ==
        R"({"flamegraph":{"names":["total"],"levels":[{"values":["0","0","0","0"]}]}})");
  CHECK(api.query("SelectMergeStacktraces", "{" + body + R"(,"format":"PROFILE_FORMAT_TREE"})")
            .body == "{}");
  CHECK(api.query("SelectMergeProfile", "{" + body + "}").body == "{}");
  CHECK(api.query("SelectSeries", "{" + body + R"(,"step":15})").body == "{}");
}

TEST_CASE("spans and traces select what their samples hold", "[api]") {
  Api api;
  test::PprofBuilder pprof;
  pprof.sample_type("cpu", "nanoseconds").period("cpu", "nanoseconds", 1).time_ns(Api::kTimeNs);
  pprof.stack("a;b", {1}, {{"span_id", "00000bac2a5ab0c7"}})
      .stack("a;b", {2}, {{"span_id", "1111111111111111"}})
      .stack("a;c", {4}, {{"trace_id", "0123456789abcdef0123456789abcdef"}})
      .stack("a;c", {8});
  push::v1::PushRequest request;
  Api::add_series(request, "checkout", pprof.build_gzip());
  REQUIRE(api.post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto")
              .status == 200);
  const auto total = [&](const std::string& method, const std::string& selector) {
    const auto body =
        api.query(method, "{" + kCpu + "," + kAll + "," + kRange + selector + "}").body;
    const size_t at = body.find(R"("total":")");
    return at == std::string::npos ? 0 : std::stoi(body.substr(at + 9));
  };
  CHECK(total("SelectMergeSpanProfile", R"(,"spanSelector":["00000bac2a5ab0c7"])") == 1);
  CHECK(total("SelectMergeSpanProfile",
              R"(,"spanSelector":["1111111111111111","00000BAC2A5AB0C7"])") == 3);
  CHECK(total("SelectMergeSpanProfile", R"(,"spanSelector":["2222222222222222"])") == 0);
  CHECK(total("SelectMergeSpanProfile", "") == 15);
  CHECK(total("SelectMergeStacktraces", R"(,"spanSelector":["1111111111111111"])") == 2);
  const std::string trace = R"(,"traceIdSelector":["0123456789abcdef0123456789abcdef"])";
  CHECK(total("SelectMergeStacktraces", trace) == 4);
  const auto merged =
      api.query("SelectMergeProfile", "{" + kCpu + "," + kAll + "," + kRange + trace + "}");
  CHECK(contains(merged.body, R"("value":["4"])"));
  CHECK(api.query("SelectMergeSpanProfile",
                  "{" + kCpu + "," + kAll + "," + kRange + R"(,"spanSelector":["nonsense"]})")
            .status == 400);
}

TEST_CASE("query arguments are checked in Pyroscope's words", "[api]") {
  Api api;
  const auto message = [&](const std::string& method, const std::string& body) {
    const auto response = api.query(method, body);
    CHECK(response.status == 400);
    CHECK(contains(response.body, R"("code":"invalid_argument")"));
    return response.body;
  };
  CHECK(contains(message("SelectMergeStacktraces", "{" + kCpu + "," + kAll + "}"),
                 "missing time range in the query"));
  CHECK(contains(message("LabelNames", R"({"start":2,"end":1})"),
                 "query start time is after end time"));
  message("SelectMergeStacktraces", R"({"profileTypeID":"a:b",)" + kAll + "," + kRange + "}");
  message("SelectMergeStacktraces", "{" + kCpu + "," + kRange + "}");
  message("SelectMergeStacktraces", "{" + kCpu + "," + kAll + "," + kRange + R"(,"maxNodes":-1})");
  message("Series", "{" + kRange + R"(,"matchers":["{"]})");
  message("LabelValues", "{" + kRange + "}");
  message("Diff", "{}");
  CHECK(contains(message("SelectSeries", "{" + kCpu + "," + kAll + "," + kRange + "}"),
                 "step must be >= 1ms"));
  CHECK(contains(message("SelectMergeStacktraces",
                         "{" + kCpu + "," + kAll + "," + kRange +
                             R"(,"spanSelector":["0000000000000001"],"traceIdSelector":["x"]})"),
                 "span_selector and trace_id_selector cannot be combined"));
  message("SelectMergeStacktraces",
          "{" + kCpu + "," + kAll + "," + kRange + R"(,"spanSelector":["xyz"]})");
}

TEST_CASE("label calls answer from the stored series", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"a", 1}}, Api::kTimeNs, {{"job", "x"}, {"a.b", "y"}});
  CHECK(
      api.query("LabelNames", "{" + kRange + "}").body ==
      R"({"names":["__name__","__period_type__","__period_unit__","__profile_type__","__service_name__","__type__",)"
      R"("__unit__","job","service_name"]})");
  const auto utf8 = api.post("/querier.v1.QuerierService/LabelNames", "{" + kRange + "}",
                             "application/json", {{"Accept", "*/*;allow-utf8-labelnames=true"}});
  CHECK(contains(utf8.body, R"("a.b")"));
  CHECK(api.query("LabelValues", R"({"name":"job",)" + kRange + "}").body == R"({"names":["x"]})");
  CHECK(
      api.query("Series", R"({"labelNames":["job","service_name"],)" + kRange + "}").body ==
      R"({"labelsSet":[{"labels":[{"name":"job","value":"x"},{"name":"service_name","value":"checkout"}]}]})");
  CHECK(
      api.query("ProfileTypes", "{" + kRange + "}").body ==
      R"({"profileTypes":[{"ID":"process_cpu:cpu:nanoseconds:cpu:nanoseconds","name":"process_cpu","sampleType":"cpu",)"
      R"("sampleUnit":"nanoseconds","periodType":"cpu","periodUnit":"nanoseconds"}]})");
  CHECK(contains(api.query("ProfileTypes", "{}").body, "process_cpu"));
  CHECK(contains(api.query("GetProfileStats", "{}").body, R"("dataIngested":true)"));
}

TEST_CASE("SelectSeries labels its points by the groups asked for", "[api]") {
  Api api;
  api.push_cpu("checkout", {{"a", 5}}, Api::kTimeNs, {{"job", "x"}});
  const auto response = api.query("SelectSeries", "{" + kCpu + "," + kAll + "," + kRange +
                                                      R"(,"step":15,"groupBy":["job","no"]})");
  CHECK(contains(response.body, R"({"labels":[{"name":"job","value":"x"}],"points":[{"value":5,)"));
}

TEST_CASE("SelectMergeProfile gives a pprof of the queried type", "[api]") {
  Api api;
  push_worked_example(api);
  querier::v1::SelectMergeProfileRequest request;
  REQUIRE(
      api::decode_message("{" + kCpu + "," + kAll + "," + kRange + "}", api::Codec::json, request));
  const auto response = api.post("/querier.v1.QuerierService/SelectMergeProfile",
                                 request.SerializeAsString(), "application/proto");
  google::v1::Profile profile;
  REQUIRE(profile.ParseFromString(response.body));
  CHECK(profile.sample_type_size() == 1);
  CHECK(profile.string_table(static_cast<int>(profile.sample_type(0).type())) == "cpu");
  CHECK(profile.string_table(static_cast<int>(profile.default_sample_type())) == "cpu");
  CHECK(profile.period() == 1'000'000'000);
  CHECK(profile.time_nanos() == request.end() * 1'000'000);
  CHECK(profile.sample_size() == 3);
}

TEST_CASE("Diff and render-diff compare two selections", "[api]") {
  Api api;
  api.push_cpu("left", {{"a;b", 1}, {"a;c", 2}});
  api.push_cpu("right", {{"a;b", 4}, {"a;c", 8}});
  const auto side = [](const std::string& service) {
    return "{" + kCpu + R"(,"labelSelector":"{service_name=\")" + service + R"(\"}",)" + kRange +
           "}";
  };
  const auto response =
      api.query("Diff", R"({"left":)" + side("left") + R"(,"right":)" + side("right") + "}");
  CHECK(contains(response.body, R"("names":["total","a","c","b"])"));
  CHECK(contains(response.body, R"("total":"15","maxSelf":"8","leftTicks":"3","rightTicks":"12")"));
  const std::string type = "process_cpu:cpu:nanoseconds:cpu:nanoseconds";
  const std::string times =
      "&leftFrom=1699998940&leftUntil=1699999060&rightFrom=1699998940&rightUntil=1699999060";
  const auto rendered =
      api.get("/pyroscope/render-diff?leftQuery=" + type +
              "{service_name=\"left\"}&rightQuery=" + type + "{service_name=\"right\"}" + times);
  CHECK(contains(rendered.body,
                 R"("levels":[[0,3,0,0,12,0,0],[0,3,0,0,12,0,1],[0,1,1,0,4,4,3,0,2,2,0,8,8,2]])"));
  CHECK(contains(rendered.body, R"("format":"double")"));
  CHECK(contains(rendered.body, R"("leftTicks":3,"rightTicks":12)"));
  const auto mixed =
      api.get("/pyroscope/render-diff?leftQuery=" + type + "{}&rightQuery=a:b:c:d:e{}" + times);
  CHECK(mixed.status == 400);
  CHECK(contains(mixed.body, "profile types must match"));
}

TEST_CASE("render answers with a flame graph and a timeline", "[api]") {
  Api api;
  push_worked_example(api);
  const std::string query =
      "/pyroscope/"
      "render?query=process_cpu:cpu:nanoseconds:cpu:nanoseconds{}&from=1699998990&until=1699999020";
  const auto response = api.get(query);
  CHECK(
      response.body ==
      R"({"version":1,"flamebearer":{"names":["total","a","c","d","b","e"],"levels":[[0,4,0,0],[0,4,0,1],)"
      R"([0,1,0,4,0,3,2,2],[0,1,1,5,2,1,1,3]],"numTicks":4,"maxSelf":2},"metadata":{"format":"single","spyName":"",)"
      R"("sampleRate":1000000000,"units":"samples","name":"cpu"},"timeline":{"startTime":1699998990,"samples":[0,4],)"
      R"("durationDelta":15,"watermarks":null},"groups":null,"heatmap":null})");
  CHECK(contains(api.get(query + "&groupBy=service_name").body,
                 R"("groups":{"checkout":{"startTime":)"));
  CHECK(api.get("/pyroscope/render?from=1&until=2").status == 400);
  CHECK(api.get("/pyroscope/render?query=a{}&from=1&until=2").status == 400);
  CHECK(api.post("/pyroscope/render", "").status == 405);
  CHECK(api.get("/pyroscope/label-values?label=__name__").body ==
        R"(["process_cpu:cpu:nanoseconds:cpu:nanoseconds"])");
  CHECK(api.get("/pyroscope/label-values").status == 400);
}

TEST_CASE("settings are kept per name and never go back in time", "[api]") {
  Api api;
  const std::string service = "/settings.v1.SettingsService/";
  CHECK(api.post(service + "Get", "{}").body == "{}");
  CHECK(api.post(service + "Set", "{}").status == 400);
  CHECK(
      api.post(service + "Set", R"({"setting":{"name":"b","value":"1","modifiedAt":"5"}})").body ==
      R"({"setting":{"name":"b","value":"1","modifiedAt":"5"}})");
  CHECK(api.post(service + "Set", R"({"setting":{"name":"a","value":"2"}})").status == 200);
  const auto stale =
      api.post(service + "Set", R"({"setting":{"name":"b","value":"0","modifiedAt":"4"}})");
  CHECK(stale.status == 409);
  CHECK(contains(stale.body, R"("code":"already_exists")"));
  CHECK(contains(api.post(service + "Get", "{}").body,
                 R"([{"name":"a","value":"2","modifiedAt":"1700000000000"},{"name":"b")"));
  CHECK(api.post(service + "Delete", R"({"name":"b"})").body == "{}");
  CHECK(api.post(service + "Delete", R"({"name":"no"})").status == 200);
  CHECK(api.post(service + "Delete", "{}").status == 400);
  CHECK_FALSE(contains(api.post(service + "Get", "{}").body, R"("b")"));
}

TEST_CASE("status routes tell what runs and whether it is ready", "[api]") {
  Api api;
  CHECK(contains(api.get("/ready").body, "ready"));
  api.context.draining = true;
  CHECK(api.get("/ready").status == 503);
  CHECK(api.get("/healthz").status == 200);
  CHECK(contains(api.get("/api/v1/status/buildinfo").body, R"("status":"success")"));
  CHECK(contains(api.get("/api/v1/status").body, R"("ready":false)"));
  CHECK(contains(api.post("/capabilities.v1.FeatureFlagsService/GetFeatureFlags", "{}").body,
                 R"("name":"v2StorageLayer","enabled":true)"));
  CHECK(api.post("/vcs.v1.VCSService/GithubApp", "{}").status == 501);
}

TEST_CASE("sealing by hand is for loopback, and not for a page of another site", "[api]") {
  Api api;
  CHECK(api.post("/api/v1/admin/seal", "", "").body == R"({"sealed_profiles":0})");
  CHECK(api.post("/api/v1/admin/seal", "", "", {{"Sec-Fetch-Site", "same-origin"}}).status == 403);
  CHECK(api.post("/api/v1/admin/seal", "", "",
                 {{"Sec-Fetch-Site", "same-origin"}, {"X-Hearth-UI", "1"}})
            .status == 200);
  api.context.loopback_only = false;
  CHECK(api.post("/api/v1/admin/seal", "", "").status == 403);
}

TEST_CASE("compacting by hand is for loopback and takes true or false", "[api]") {
  Api api;
  CHECK(contains(api.post("/api/v1/admin/compact", "", "").body, R"("jobs":1,"profiles":0)"));
  CHECK(contains(api.post("/api/v1/admin/compact?force=true", "", "").body, R"("jobs":2)"));
  CHECK(api.post("/api/v1/admin/compact?force=maybe", "", "").status == 400);
  CHECK(api.post("/api/v1/admin/compact", "", "", {{"Sec-Fetch-Site", "cross-site"}}).status == 403);
  api.context.loopback_only = false;
  CHECK(api.post("/api/v1/admin/compact?force=true", "", "").status == 403);
}

TEST_CASE("metrics count requests, refusals and what is stored", "[api]") {
  Api api;
  push_worked_example(api);
  CHECK(api.post("/ingest?name=a&format=pprof", "nonsense", "").status == 422);
  const std::string text = api.get("/metrics").body;
  CHECK(contains(text, "pyroscope_build_info{"));
  CHECK(contains(text, "hearth_profiles_stored_total 1"));
  CHECK(contains(
      text, R"(hearth_discarded_profiles_total{reason="malformed_profile",tenant="anonymous"} 1)"));
  CHECK(contains(
      text,
      R"(hearth_http_requests_total{route="/push.v1.PusherService/Push",status_code="200"} 1)"));
}

TEST_CASE("the gate refuses malformed Accept, foreign names of a loopback server and foreign pages",
          "[api]") {
  Api api;
  const auto status = [&](const char* method,
                          std::vector<std::pair<std::string, std::string>> headers) {
    net::Request request;
    request.method = method;
    for (auto& [name, value] : headers) request.headers.add(name, value);
    const auto refusal = api::gate(api.context, request);
    return refusal ? refusal->status : 200;
  };
  CHECK(status("GET", {{"Accept", "a/b;c"}}) == 400);
  CHECK(status("GET", {{"Accept", ","}}) == 400);
  CHECK(status("GET", {{"Accept", "text"}, {"Host", "localhost:4040"}}) == 200);
  CHECK(status("GET", {{"Host", "127.0.0.1"}}) == 200);
  CHECK(status("GET", {{"Host", "[::1]:4040"}}) == 200);
  CHECK(status("GET", {{"Host", "evil.example"}}) == 421);
  CHECK(status("GET", {{"Host", "127.0.0.1.evil.example"}}) == 421);
  CHECK(status("POST", {{"Host", "localhost:4040"}, {"Origin", "http://localhost:4040"}}) == 200);
  CHECK(status("POST", {{"Host", "localhost:4040"}, {"Origin", "http://evil.example"}}) == 403);
  CHECK(status("POST", {{"Host", "localhost:4040"}, {"Origin", "null"}}) == 403);
  CHECK(status("POST", {{"Sec-Fetch-Site", "cross-site"}}) == 403);
  CHECK(status("GET", {{"Sec-Fetch-Site", "cross-site"}}) == 200);
  api.context.loopback_only = false;
  CHECK(status("GET", {{"Host", "hearth.example"}}) == 200);
}
