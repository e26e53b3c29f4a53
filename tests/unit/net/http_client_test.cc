#include "net/http_client.h"

#include "server_fixture.h"

namespace hearth {
namespace {

using namespace test;

TEST_CASE("a URL is taken apart", "[net]") {
  const auto full = net::Url::parse("http://example.org:4040/a/b?c=d");
  REQUIRE(full);
  CHECK(full->host == "example.org");
  CHECK(full->port == "4040");
  CHECK(full->target == "/a/b?c=d");
  const auto v6 = net::Url::parse("http://[::1]:80");
  REQUIRE(v6);
  CHECK(v6->host == "::1");
  CHECK(v6->target == "/");
  for (const char* bad :
       {"https://a", "a:80", "http://", "http://:80", "http://a:b", "http://u@a"}) {
    CHECK_FALSE(net::Url::parse(bad));
  }
}

TEST_CASE("the client sends a body and reads the answer", "[net]") {
  ServerFixture fixture;
  const std::string base = "http://127.0.0.1:" + std::to_string(fixture.port());
  const std::string body(300'000, 'b');
  const auto echoed = net::fetch(base + "/echo", "POST", {}, body, 5000);
  REQUIRE(echoed);
  CHECK(echoed->status == 200);
  CHECK(echoed->body == body);
  const auto missing = net::fetch(base + "/nothing", "GET", {}, "", 5000);
  REQUIRE(missing);
  CHECK(missing->status == 404);
}

TEST_CASE("the client gives up at its deadline and says whom it could not reach", "[net]") {
  ServerFixture fixture;
  const std::string base = "http://127.0.0.1:" + std::to_string(fixture.port());
  const auto late = net::fetch(base + "/slow", "GET", {}, "", 50);
  REQUIRE_FALSE(late);
  CHECK(late.error().code == ErrorCode::deadline_exceeded);
  fixture.release.release();
  fixture.server->drain(1000);
  const auto refused = net::fetch(base + "/hello", "GET", {}, "", 1000);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(has(refused.error().message, base));
}

}  // namespace
}  // namespace hearth
