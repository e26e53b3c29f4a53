#include "server/server.h"

#include "net/http_client.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace hearth::server {
namespace {

Config config_in(const test::TempDir& dir) {
  Config config;
  config.listen = "127.0.0.1:0";
  config.database.data_dir = dir / "data";
  config.log_level = "error";
  return config;
}

net::ClientResponse get(const Server& server, const std::string& target) {
  auto answer = net::fetch(server.url() + target, "GET", {}, "", 10'000);
  REQUIRE(answer);
  return std::move(*answer);
}

const std::string kRender =
    "/pyroscope/"
    "render?query=process_cpu:cpu:nanoseconds:cpu:nanoseconds%7B%7D&from=1&until=now%2B1d";

TEST_CASE("a server answers on the port it names and keeps its data over a restart", "[server]") {
  const test::TempDir dir;
  std::string before;
  {
    auto server = Server::start(config_in(dir));
    REQUIRE(server);
    CHECK(get(**server, "/ready").status == 200);
    const auto stored =
        net::fetch((*server)->url() + "/ingest?name=app", "POST", {}, "main;work 7\n", 10'000);
    REQUIRE(stored);
    CHECK(stored->status == 200);
    before = get(**server, kRender).body;
    CHECK(before.find("\"work\"") != std::string::npos);
    (*server)->stop();
    CHECK_FALSE(net::fetch((*server)->url() + "/ready", "GET", {}, "", 1000));
  }
  auto again = Server::start(config_in(dir));
  REQUIRE(again);
  CHECK(get(**again, kRender).body.find("\"work\"") != std::string::npos);
}

TEST_CASE("refusals before routing come in the API's error form", "[server]") {
  const test::TempDir dir;
  auto server = Server::start(config_in(dir));
  REQUIRE(server);
  CHECK(get(**server, "/no/such/path").body.find("\"code\"") != std::string::npos);
  const auto wrong_method = net::fetch((*server)->url() + "/ingest", "DELETE", {}, "", 10'000);
  REQUIRE(wrong_method);
  CHECK(wrong_method->status == 405);
  CHECK(wrong_method->headers.get("Allow") == "POST");
  net::Headers foreign;
  foreign.add("Host", "evil.example");
  CHECK(net::fetch((*server)->url() + "/ready", "GET", foreign, "", 10'000)->status == 421);
}

TEST_CASE("a server that cannot start says why", "[server]") {
  const test::TempDir dir;
  auto first = Server::start(config_in(dir));
  REQUIRE(first);
  Config same_data = config_in(dir);
  CHECK_FALSE(Server::start(same_data));
  const test::TempDir other;
  Config same_port = config_in(other);
  same_port.listen = (*first)->url().substr(7);
  const auto second = Server::start(same_port);
  REQUIRE_FALSE(second);
  CHECK(second.error().message.find(same_port.listen) != std::string::npos);
}

TEST_CASE("the health check asks the configured address", "[server]") {
  const test::TempDir dir;
  auto server = Server::start(config_in(dir));
  REQUIRE(server);
  Config client;
  client.listen = (*server)->url().substr(7);
  CHECK(healthcheck(client) == 0);
  (*server)->stop();
  CHECK(healthcheck(client) == 1);
}

}  // namespace
}  // namespace hearth::server
