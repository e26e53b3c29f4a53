#include "net/http_server.h"

#include "base/gzip_codec.h"
#include "base/log.h"
#include "server_fixture.h"

namespace hearth {
namespace {

using namespace test;

TEST_CASE("several requests share one connection", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(client.send(get("/hello")));
    const std::string answer = client.read_answer();
    CHECK(status_of(answer) == 200);
    CHECK(body_of(answer) == "hello");
    CHECK_FALSE(has(answer, "Connection: close"));
    CHECK(has(answer, "X-Request-Id: "));
  }
  CHECK(fixture.server->stats().connections_total == 1);
}

TEST_CASE("pipelined requests are answered one after the other, in order", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(post("/echo", "first") + get("/hello") + post("/echo", "third")));
  CHECK(body_of(client.read_answer()) == "first");
  CHECK(body_of(client.read_answer()) == "hello");
  CHECK(body_of(client.read_answer()) == "third");
}

TEST_CASE("a connection closes when asked to, under HTTP/1.0 and after its share of requests",
          "[net]") {
  ServerFixture fixture({.requests_per_connection_max = 2});
  RawClient asked(fixture.port());
  REQUIRE(asked.send(get("/hello", "Connection: close\r\n")));
  CHECK(has(asked.read_all(), "Connection: close"));
  RawClient old(fixture.port());
  REQUIRE(old.send("GET /hello HTTP/1.0\r\n\r\n"));
  CHECK(status_of(old.read_all()) == 200);
  RawClient busy(fixture.port());
  REQUIRE(busy.send(get("/hello") + get("/hello") + get("/hello")));
  CHECK_FALSE(has(busy.read_answer(), "Connection: close"));
  CHECK(has(busy.read_answer(), "Connection: close"));
  CHECK(busy.at_end());
}

TEST_CASE("a chunked body arrives whole, however it is cut", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  REQUIRE(client.send(head + "5\r\nhello\r\n1\r\n \r\nA\r\nprofiling!\r\n0\r\n\r\n"));
  CHECK(body_of(client.read_answer()) == "hello profiling!");
  for (const char c : head + "3\r\nabc\r\n0\r\n\r\n") REQUIRE(client.send(std::string(1, c)));
  CHECK(body_of(client.read_answer()) == "abc");
}

TEST_CASE("a large body arrives unchanged and its memory is given back", "[net]") {
  ServerFixture fixture;
  std::string body(5'000'000, 'a');
  for (size_t i = 0; i < body.size(); i += 97) body[i] = static_cast<char>(i);
  RawClient client(fixture.port());
  REQUIRE(client.send(post("/echo", body)));
  CHECK(body_of(client.read_answer()) == body);
  fixture.server->drain(1000);
  CHECK(fixture.memory.used() == 0);
}

TEST_CASE("a body that does not fit the memory limit is 503 with Retry-After", "[net]") {
  ServerFixture fixture;
  const MemoryCharge rest = fixture.memory.must_charge(60U << 20U);
  RawClient client(fixture.port());
  REQUIRE(client.send(post("/echo", std::string(100'000, 'x'))));
  const std::string answer = client.read_answer();
  CHECK(status_of(answer) == 503);
  CHECK(has(answer, "Retry-After: "));
  CHECK(fixture.handled == 0);
}

TEST_CASE("100-continue is sent once the limits have passed", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(client.read_answer(false) == "HTTP/1.1 100 Continue\r\n\r\n");
  REQUIRE(client.send("abc"));
  CHECK(body_of(client.read_answer()) == "abc");

  REQUIRE(client.send(
      "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\nExpect: 100-continue\r\n\r\n"));
  CHECK(status_of(client.read_answer()) == 413);
  CHECK(client.at_end());
}

TEST_CASE("limits answer with their status and close", "[net]") {
  ServerFixture fixture(
      {.header_max_bytes = 2000, .target_max_bytes = 200, .body_max_bytes = 1000});
  const std::string chunked =
      "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "100\r\n" + std::string(256, 'x') + "\r\n";
  std::string fields;
  for (int i = 0; i < 101; ++i) fields += "A: b\r\n";
  const std::pair<std::string, int> cases[] = {
      {get("/" + std::string(300, 'a')), 414},
      {"GET /" + std::string(1500, 'a'), 414},
      {get("/hello", "X: " + std::string(2500, 'a') + "\r\n"), 431},
      {get("/hello", "X: " + std::string(1900, 'a')).substr(0, 1930) + std::string(500, 'b'), 431},
      {get("/hello", fields), 431},
      {"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000000\r\n\r\n", 413},
      {chunked + chunk + chunk + chunk + chunk + "0\r\n\r\n", 413},
      {chunked + "ffffffff\r\n" + std::string(1001, 'x'), 413},
      {post("/hello", "x"), 405},
      {post("/nothing", "x"), 404},
      {get("/hello", "Expect: something\r\n"), 417},
  };
  for (const auto& [request, status] : cases) {
    INFO(request.substr(0, 100));
    RawClient client(fixture.port());
    client.send(request);
    CHECK(status_of(client.read_answer()) == status);
  }
  CHECK(fixture.handled == 0);
}

TEST_CASE("an early refusal does not reset a client that still sends", "[net]") {
  ServerFixture fixture({.body_max_bytes = 1000});
  RawClient client(fixture.port());
  const std::string request = post("/echo", std::string(40'000, 'x'));
  REQUIRE(client.send(request.substr(0, 10'000)));
  REQUIRE(client.wait_for_end(5000));
  CHECK(client.send(request.substr(10'000, 10'000)));
  CHECK(client.send(request.substr(20'000)));
  CHECK(status_of(client.read_answer()) == 413);
}

TEST_CASE("a head that drips past its deadline is cut off", "[net]") {
  ServerFixture fixture({.header_timeout_ms = 100});
  RawClient client(fixture.port());
  REQUIRE(client.send("GET /hello HTTP/1.1\r\nHost: "));
  int drips = 0;
  while (drips < 100 && !client.readable(10)) {
    client.send("a");
    ++drips;
  }
  CHECK(drips < 60);
  CHECK(client.at_end());
  CHECK(fixture.handled == 0);
}

TEST_CASE("bodies and idle connections have deadlines", "[net]") {
  ServerFixture fixture({.body_timeout_ms = 50, .idle_timeout_ms = 50});
  RawClient idle(fixture.port());
  CHECK(idle.at_end());
  RawClient slow(fixture.port());
  REQUIRE(slow.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc"));
  CHECK(slow.at_end());
}

TEST_CASE(
    "a handler may run past the deadlines of reading, and the connection idles again after it",
    "[net]") {
  ServerFixture fixture(
      {.header_timeout_ms = 20, .idle_timeout_ms = 20, .request_timeout_ms = 100});
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/slow")));
  CHECK(body_of(client.read_answer()) == "slow");
  CHECK(fixture.slow_saw_cancel);
  CHECK(client.at_end());
}

TEST_CASE("answers are compressed when the client offers gzip and they are large", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/big", "Accept-Encoding: br, gzip;q=0.5\r\n")));
  const std::string packed = client.read_answer();
  CHECK(has(packed, "Content-Encoding: gzip"));
  CHECK(has(packed, "Vary: Accept-Encoding"));
  std::string plain;
  REQUIRE(gunzip(body_of(packed), 1'000'000, plain));
  CHECK(plain == std::string(100'000, 'x'));

  for (const char* refusal : {"", "Accept-Encoding: gzip;q=0\r\n", "Accept-Encoding: br\r\n"}) {
    REQUIRE(client.send(get("/big", refusal)));
    const std::string answer = client.read_answer();
    CHECK_FALSE(has(answer, "Content-Encoding"));
    CHECK(has(answer, "Vary: Accept-Encoding"));
    CHECK(body_of(answer).size() == 100'000);
  }
  REQUIRE(client.send(get("/hello", "Accept-Encoding: gzip\r\n")));
  CHECK(body_of(client.read_answer()) == "hello");
}

TEST_CASE("HEAD is answered like GET, without the body", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n" + get("/inline")));
  const std::string head = client.read_answer(false);
  CHECK(status_of(head) == 200);
  CHECK(has(head, "Content-Length: 5\r\n"));
  CHECK(body_of(client.read_answer()) == "inline");
}

TEST_CASE("a wrong method names the right ones, an unknown path is 404", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
  const std::string answer = client.read_answer();
  CHECK(status_of(answer) == 405);
  CHECK(has(answer, "Allow: GET, HEAD\r\n"));
  REQUIRE(client.send(get("/hell")));
  CHECK(status_of(client.read_answer()) == 404);
}

TEST_CASE("path and query are decoded once", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/%61rgs?a+b=c%2Bd&%25=%2541&flag&x=100%&=")));
  CHECK(body_of(client.read_answer()) == "/args|a b=c+d|%=%41|flag=|x=100%|=");
  REQUIRE(client.send(get("http://elsewhere/args?x=1")));
  CHECK(body_of(client.read_answer()) == "/args|x=1");
  REQUIRE(client.send(get("/args%00")));
  CHECK(status_of(client.read_answer()) == 400);
}

TEST_CASE("a handler that throws is a 500 and a log line, and the connection lives on", "[net]") {
  std::string logged;
  log::set_sink([&](log::Level, std::string_view line) { logged += line; });
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/throw") + get("/hello")));
  CHECK(status_of(client.read_answer()) == 500);
  CHECK(body_of(client.read_answer()) == "hello");
  log::set_sink({});
  CHECK(has(logged, "broken handler"));
}

TEST_CASE("an answer that waits holds no worker, and may become another", "[net]") {
  ServerFixture fixture;
  RawClient waits(fixture.port());
  RawClient other(fixture.port());
  REQUIRE(waits.send(get("/later")));
  fixture.later_waits.acquire();
  // The pool has one thread.
  REQUIRE(other.send(get("/hello")));
  CHECK(body_of(other.read_answer()) == "hello");
  std::jthread([&] { std::exchange(fixture.send_later, {})(std::nullopt); }).join();
  CHECK(body_of(waits.read_answer()) == "later");

  REQUIRE(waits.send(get("/later")));
  fixture.later_waits.acquire();
  net::Response failed;
  failed.status = 503;
  std::exchange(fixture.send_later, {})(failed);
  CHECK(status_of(waits.read_answer()) == 503);
}

TEST_CASE("a server that ends waits for an answer that is still to come", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/later")));
  fixture.later_waits.acquire();
  std::jthread sender([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::exchange(fixture.send_later, {})(std::nullopt);
  });
  fixture.server.reset();
}

TEST_CASE("no header value can split the answer", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/bad-header")));
  const std::string answer = client.read_answer();
  CHECK_FALSE(has(answer, "\nX-Injected"));
  CHECK(has(answer, "X-Note: one  X-Injected: two\r\n"));
}

TEST_CASE("a full pool answers 503 with Retry-After and io routes go on", "[net]") {
  ServerFixture fixture;
  RawClient running(fixture.port());
  REQUIRE(running.send(get("/slow")));
  fixture.slow_started.acquire();
  RawClient queued(fixture.port());
  REQUIRE(queued.send(get("/slow")));
  while (fixture.pool.queued() == 0) std::this_thread::yield();
  RawClient refused(fixture.port());
  REQUIRE(refused.send(get("/slow") + get("/inline")));
  const std::string answer = refused.read_answer();
  CHECK(status_of(answer) == 503);
  CHECK(has(answer, "Retry-After: "));
  CHECK(body_of(refused.read_answer()) == "inline");
  fixture.release.release(2);
  CHECK(body_of(running.read_answer()) == "slow");
  CHECK(body_of(queued.read_answer()) == "slow");
}

TEST_CASE("a client that goes away cancels its request", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/slow")));
  fixture.slow_started.acquire();
  client.close();
  fixture.server->drain(5000);
  CHECK(fixture.slow_saw_cancel);
}

TEST_CASE("a pipelined request does not look like a client that went away", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/slow") + get("/hello")));
  fixture.slow_started.acquire();
  fixture.release.release();
  CHECK(body_of(client.read_answer()) == "slow");
  CHECK(body_of(client.read_answer()) == "hello");
  CHECK_FALSE(fixture.slow_saw_cancel);
}

TEST_CASE("a request's deadline reaches its handler", "[net]") {
  ServerFixture fixture({.request_timeout_ms = 20});
  RawClient client(fixture.port());
  REQUIRE(client.send(get("/slow")));
  CHECK(body_of(client.read_answer()) == "slow");
  CHECK(fixture.slow_saw_cancel);
}

TEST_CASE("drain answers what runs, closes what idles and takes nothing new", "[net]") {
  ServerFixture fixture;
  RawClient idle(fixture.port());
  REQUIRE(idle.send(get("/hello")));
  CHECK(body_of(idle.read_answer()) == "hello");
  RawClient running(fixture.port());
  REQUIRE(running.send(get("/slow")));
  fixture.slow_started.acquire();
  std::jthread drain([&] { fixture.server->drain(5000); });
  CHECK(idle.at_end());
  fixture.release.release();
  const std::string answer = running.read_answer();
  CHECK(body_of(answer) == "slow");
  CHECK(has(answer, "Connection: close"));
  drain.join();
  CHECK(fixture.server->stats().connections_open == 0);
  CHECK_FALSE(RawClient(fixture.port()).connected());
}

TEST_CASE("drain cancels what does not finish in time", "[net]") {
  ServerFixture fixture;
  RawClient running(fixture.port());
  REQUIRE(running.send(get("/slow")));
  fixture.slow_started.acquire();
  fixture.server->drain(10);
  fixture.server.reset();
  CHECK(fixture.slow_saw_cancel);
}

TEST_CASE("above the connection cap only io routes are answered", "[net]") {
  ServerFixture fixture({.connections_max = 1});
  RawClient first(fixture.port());
  REQUIRE(first.send(get("/hello")));
  CHECK(status_of(first.read_answer()) == 200);
  RawClient second(fixture.port());
  REQUIRE(second.send(get("/hello")));
  CHECK(status_of(second.read_all()) == 503);
  RawClient third(fixture.port());
  REQUIRE(third.send(get("/inline")));
  CHECK(status_of(third.read_all()) == 200);
}

TEST_CASE("an address that is taken is an error that names it", "[net]") {
  ServerFixture fixture;
  net::HttpServer::Options options;
  options.port = fixture.port();
  options.ingest = options.query = &fixture.pool;
  const auto second = net::HttpServer::listen(options, {});
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::unavailable);
  CHECK(has(second.error().message, std::to_string(fixture.port())));
}

}  // namespace
}  // namespace hearth
