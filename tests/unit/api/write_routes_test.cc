#include "api_fixture.h"

using namespace hearth;
using test::Api;

namespace {

std::string pprof_body(int64_t value = 7, int64_t time_ns = Api::kTimeNs) {
  return test::PprofBuilder()
      .sample_type("cpu", "nanoseconds")
      .period("cpu", "nanoseconds", 10'000'000)
      .time_ns(time_ns)
      .stack("main;work", {value})
      .build();
}

std::string flame_graph(Api& api, const std::string& service) {
  return api
      .query("SelectMergeStacktraces", "{" + test::kCpu + R"(,"labelSelector":"{service_name=\")" +
                                           service + R"(\"}",)" + test::kRange + "}")
      .body;
}

bool contains(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a pushed profile is acknowledged and can be queried at once", "[api]") {
  Api api;
  push::v1::PushRequest request;
  Api::add_series(request, "checkout", gzip_compress(pprof_body()));
  const auto response =
      api.post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto");
  CHECK(response.status == 200);
  CHECK(response.body.empty());
  CHECK(response.headers.get("Content-Type") == "application/proto");
  CHECK(response.headers.get("X-Ack") == "local");
  CHECK(contains(flame_graph(api, "checkout"), R"("total":"7")"));
  CHECK(api.app.writes->received() == 1);
}

TEST_CASE("a push may be JSON, and compressed as a whole", "[api]") {
  Api api;
  push::v1::PushRequest request;
  Api::add_series(request, "checkout", pprof_body());
  const std::string json = *api::encode_message(request, api::Codec::json);
  CHECK(api.post("/push.v1.PusherService/Push", json).body == "{}");
  const auto zipped = api.post("/push.v1.PusherService/Push", gzip_compress(json),
                               "application/json", {{"Content-Encoding", "gzip"}});
  CHECK(zipped.status == 200);
  const auto unknown = api.post("/push.v1.PusherService/Push", json, "application/json",
                                {{"Content-Encoding", "br"}});
  CHECK(unknown.status == 501);
  CHECK(contains(unknown.body, R"("code":"unimplemented")"));
}

TEST_CASE("a bad series fails the push, the good one is stored", "[api]") {
  Api api;
  push::v1::PushRequest request;
  Api::add_series(request, "good", pprof_body());
  Api::add_series(request, "bad", "no pprof at all");
  const auto response =
      api.post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto");
  CHECK(response.status == 400);
  CHECK(contains(response.body, R"("code":"invalid_argument")"));
  CHECK(contains(response.body, "push series with index 1"));
  CHECK(contains(flame_graph(api, "good"), R"("total":"7")"));
  REQUIRE(api.app.writes->rejections().size() == 1);
  CHECK(api.app.writes->rejections()[0].service == "bad");
  CHECK(api.app.writes->rejections()[0].reason == "malformed_profile");
}

TEST_CASE("a push without series or without samples is refused", "[api]") {
  Api api;
  const auto empty = api.post("/push.v1.PusherService/Push", "", "application/proto");
  CHECK(empty.status == 400);
  CHECK(contains(empty.body, "no profiles received"));
  CHECK(api.post("/push.v1.PusherService/Push", "", "application/json").status == 400);
  push::v1::PushRequest request;
  request.add_series()->add_labels()->set_name("a");
  CHECK(contains(
      api.post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto")
          .body,
      "no profiles received"));
}

TEST_CASE("a profile over its size limit is refused on both write routes", "[api]") {
  ingest::Limits limits;
  limits.profile_max_bytes = 1'000'000;
  Api api(limits);
  push::v1::PushRequest request;
  Api::add_series(request, "big", gzip_compress(std::string(2'000'000, 'x')));
  const auto push =
      api.post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto");
  CHECK(push.status == 400);
  CHECK(contains(push.body, "uncompressed profile payload size exceeds limit of 1.0 MB"));
  const auto ingest =
      api.post("/ingest?name=big&format=pprof", gzip_compress(std::string(2'000'000, 'x')), "");
  CHECK(ingest.status == 422);
  CHECK(contains(ingest.body, "exceeds maximum allowed size"));
}

TEST_CASE("a store that cannot take writes answers 503 with Retry-After", "[api]") {
  Api api;
  api.store.refuse(Error{ErrorCode::unavailable, "disk full"});
  push::v1::PushRequest request;
  Api::add_series(request, "checkout", pprof_body());
  const auto response =
      api.post("/push.v1.PusherService/Push", request.SerializeAsString(), "application/proto");
  CHECK(response.status == 503);
  CHECK(contains(response.body, R"("code":"unavailable")"));
  CHECK_FALSE(response.headers.get("Retry-After").empty());
  CHECK(api.post("/ingest?name=checkout", pprof_body(), "").status == 503);
  CHECK(api.get("/ready").status == 503);
}

TEST_CASE("Connect paths check method, content type, protocol version and time-out", "[api]") {
  Api api;
  const std::string path = "/version.v1.Version/Version";
  CHECK(api.get(path).status == 405);
  const auto text = api.post(path, "{}", "text/plain");
  CHECK(text.status == 415);
  CHECK(text.body.empty());
  CHECK(contains(std::string(text.headers.get("Accept-Post")), "application/proto"));
  CHECK(api.post(path, "{}", "application/json; charset=utf-8").status == 200);
  CHECK(api.post(path, "{}", "application/json", {{"Connect-Protocol-Version", "1"}}).status ==
        200);
  CHECK(api.post(path, "{}", "application/json", {{"Connect-Protocol-Version", "2"}}).status ==
        400);
  CHECK(api.post(path, "{}", "application/json", {{"Connect-Timeout-Ms", "soon"}}).status == 400);
  CHECK(api.post(path, "{}", "application/json", {{"Connect-Timeout-Ms", "12345678901"}}).status ==
        400);
  CHECK(api.post(path, "{}").body == R"({"QuerierAPI":"1"})");
}

TEST_CASE("ingest takes raw pprof without a format, multipart and folded text", "[api]") {
  Api api;
  const std::string time = "&from=1699999000&until=1699999010";
  CHECK(api.post("/ingest?name=raw" + time, gzip_compress(pprof_body()), "application/octet-stream")
            .status == 200);
  CHECK(contains(flame_graph(api, "raw"), R"("total":"7")"));
  const std::string multipart =
      "--x\r\nContent-Disposition: form-data; name=\"profile\"; filename=\"p\"\r\n\r\n" +
      pprof_body() + "\r\n--x--\r\n";
  const auto answer =
      api.post("/pyroscope/ingest?name=multi" + time, multipart, "multipart/form-data; boundary=x");
  CHECK(answer.status == 200);
  CHECK(answer.body.empty());
  CHECK(answer.headers.get("X-Ack") == "local");
  CHECK(contains(flame_graph(api, "multi"), R"("total":"7")"));
  CHECK(api.post("/ingest?name=text" + time, "main;work 3\nmain 1\n", "text/plain").status == 200);
  CHECK(contains(flame_graph(api, "text"), R"("total":"40000000")"));
  CHECK(api.post("/ingest?name=lines&format=lines" + time, "a;b\na;b\n", "").status == 200);
  CHECK(contains(flame_graph(api, "lines"), R"("total":"20000000")"));
}

TEST_CASE("ingest answers with the statuses that agents know", "[api]") {
  Api api;
  CHECK(api.post("/ingest", "a 1", "").status == 400);
  CHECK(api.post("/ingest?name=python.example", "a 1", "").status == 400);
  CHECK(api.post("/ingest?name=a", "a x\n", "").status == 422);
  CHECK(api.post("/ingest?name=a&format=pprof", "nonsense", "").status == 422);
  CHECK(api.post("/ingest?name=a&format=pprof", "", "").status == 200);
  CHECK(api.get("/ingest?name=a").status == 405);
  const auto jfr = api.post("/ingest?name=a&format=jfr", "FLR", "");
  CHECK(jfr.status == 422);
  CHECK(contains(jfr.body, "not supported yet"));
  CHECK(api.post("/ingest?name=a&sampleRate=1000000000", "a 1\n", "").status == 200);
  CHECK(api.post("/ingest?name=a.alloc_space&sampleRate=1000000001", "a 1\n", "").status == 200);
  const auto too_fast = api.post("/ingest?name=a&sampleRate=1000000001", "a 1\n", "");
  CHECK(too_fast.status == 400);
  CHECK(contains(too_fast.body, "got 1000000001 Hz"));
  const std::string previous =
      "--x\r\nContent-Disposition: form-data; name=\"prev_profile\"; "
      "filename=\"p\"\r\n\r\nabc\r\n--x--\r\n";
  const auto old = api.post("/ingest?name=a", previous, "multipart/form-data; boundary=x");
  CHECK(old.status == 422);
  CHECK(contains(old.body, "unsupported client version"));
  CHECK(api.app.writes->rejections().front().status == 422);
}

TEST_CASE("a profile of 1970 takes the time of the URL", "[api]") {
  Api api;
  CHECK(api.post("/ingest?name=old&from=1699999000", pprof_body(7, 5'000'000'000), "").status ==
        200);
  CHECK(contains(flame_graph(api, "old"), R"("total":"7")"));
}

TEST_CASE("tenants are demanded and kept apart when tenancy is on", "[api]") {
  Api api;
  api.context.tenancy = true;
  const std::string path = "/querier.v1.QuerierService/LabelNames";
  const std::string body = "{" + test::kRange + "}";
  const auto none = api.post(path, body);
  CHECK(none.status == 401);
  CHECK(contains(none.body, "no org id"));
  CHECK(api.post(path, body, "application/json", {{"X-Scope-OrgID", "a b"}}).status == 401);
  CHECK(api.post(path, body, "application/json", {{"X-Scope-OrgID", "a|b"}}).status == 200);
  CHECK(api.post("/ingest?name=a", "a 1", "", {{"X-Scope-OrgID", "a|b"}}).status == 401);
  CHECK(api.post("/settings.v1.SettingsService/Get", "{}", "application/json",
                 {{"X-Scope-OrgID", "a|b"}})
            .status == 400);
  CHECK(api.post("/ingest?name=a&from=1699999000", "a 1", "", {{"X-Scope-OrgID", "a"}}).status ==
        200);
  CHECK(contains(api.post(path, body, "application/json", {{"X-Scope-OrgID", "a|"}}).body,
                 "service_name"));
  CHECK(api.post(path, body, "application/json", {{"X-Scope-OrgID", "b"}}).body == "{}");
  CHECK(api.post("/version.v1.Version/Version", "{}").status == 200);
}

TEST_CASE("every refused write shows in the list of the page", "[api]") {
  ingest::Limits limits;
  limits.request_max_bytes = 100;
  Api api(limits);
  CHECK(api.post("/ingest", "a 1", "").status == 400);
  CHECK(api.post("/ingest?name=a", std::string(200, 'x'), "").status == 413);
  CHECK(api.post("/push.v1.PusherService/Push", "\xff", "application/proto").status == 400);
  CHECK(api.post("/push.v1.PusherService/Push", "", "application/proto").status == 400);
  const auto list = api.app.writes->rejections();
  REQUIRE(list.size() == 4);
  CHECK(list[3].message.starts_with("name: "));
  CHECK(list[2].reason == "body_size_limit_exceeded");
  CHECK(list[1].path == "/push.v1.PusherService/Push");
  CHECK(list[0].message == "no profiles received");
}
