#include "base/gzip_codec.h"
#include "net/address_quota.h"
#include "net/answer.h"
#include "net/body_buffer.h"
#include "net/head_check.h"
#include "net/router.h"
#include "net/target.h"
#include "support/catch.h"

#include <algorithm>
#include <span>

namespace hearth::net {
namespace {

int verdict(std::string_view head) {
  return check_head(head, {}).status;
}

TEST_CASE("a plain head is accepted", "[net]") {
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 0);
  CHECK(verdict("GET /%C3%A9?x=\xc3\xa9 HTTP/1.1\r\nHost:\r\nX-Empty:\r\nX: a\tb \r\n\r\n") == 0);
  CHECK(verdict("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: Chunked\r\n\r\n") == 0);
  CHECK(verdict("GET / HTTP/1.0\r\n\r\n") == 0);
}

TEST_CASE("a head whose end is ambiguous is refused by itself, before any parser", "[net]") {
  CHECK(verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: "
                "chunked\r\n\r\n") == 400);
  CHECK(verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n") ==
        400);
  CHECK(verdict("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n") == 400);
  CHECK(verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n") == 400);
  CHECK(verdict("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n") == 400);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
  CHECK(verdict("GET / HTTP/1.1\r\nHost: a\r\n") == 400);
  CHECK(verdict("GET / HTTP/1.0\r\n\r\nGET") == 400);
  CHECK(verdict("") == 400);
  CHECK(verdict("GET / HTTP/2.0\r\n\r\n") == 505);
}

TEST_CASE("a head that is still arriving may grow only as far as it may end", "[net]") {
  const HeadLimits limits{.head_max_bytes = 1000, .target_max_bytes = 100, .fields_max = 5};
  CHECK(check_partial_head("GET / HT", limits).status == 0);
  CHECK(check_partial_head("GET /" + std::string(200, 'a'), limits).status == 414);
  CHECK(check_partial_head("GET / HTTP/1.1\r\nX: " + std::string(1000, 'a'), limits).status == 431);
  CHECK(check_partial_head("GET / HTTP/1.1\n", limits).status == 400);
}

Response named(std::string body) {
  Response response;
  response.body = std::move(body);
  return response;
}

TEST_CASE("routes: exact before prefix, long prefix before short, methods told apart", "[net]") {
  const auto route = [](std::string method, std::string path) {
    return Route{method, path, Pool::io, 0, [path](Request&) { return named(path); }};
  };
  const Router router({route("GET", "/a"), route("POST", "/a"), route("GET", "/a/*"),
                       route("", "/rpc"), route("GET", "/a/b/*"), route("GET", "/*")});
  const auto path_of = [&](std::string_view method, std::string_view path) {
    const Router::Match match = router.find(method, path);
    return match.route == nullptr ? "none:" + match.allow : match.route->path;
  };
  CHECK(path_of("GET", "/a") == "/a");
  CHECK(path_of("HEAD", "/a") == "/a");
  CHECK(path_of("DELETE", "/a") == "none:GET, HEAD, POST");
  CHECK(path_of("GET", "/a/") == "/a/*");
  CHECK(path_of("GET", "/a/b/c/d") == "/a/b/*");
  CHECK(path_of("PUT", "/a/b/c") == "none:GET, HEAD");
  CHECK(path_of("PATCH", "/rpc") == "/rpc");
  CHECK(path_of("GET", "/elsewhere") == "/*");
  CHECK(path_of("POST", "/elsewhere") == "none:");
  CHECK(path_of("GET", "") == "none:");
}

TEST_CASE("targets come apart once and only once", "[net]") {
  const auto target = parse_target("/a%2Fb%252F?x=1&x=2&&y");
  REQUIRE(target);
  CHECK(target->path == "/a/b%2F");
  REQUIRE(target->query.size() == 3);
  CHECK(target->query[1].second == "2");
  CHECK(target->query[2].first == "y");
  for (const char* bad : {"", "a", "*", "/%", "/%0", "/%zz", "/%00", "ftp://a/"}) {
    INFO(bad);
    CHECK_FALSE(parse_target(bad));
  }
  std::string many = "/?a";
  for (int i = 0; i < 1000; ++i) many += "&a";
  CHECK_FALSE(parse_target(many));
  CHECK(percent_encode("a b{c}") == "a%20b%7Bc%7D");
}

TEST_CASE("a body grows with what arrives, leaves zeroed slack and gives its charge back",
          "[net]") {
  MemoryAccountant accountant(10U << 20U);
  {
    BodyBuffer body;
    body.limit(1'000'000, 500'000, &accountant);
    CHECK(body.append("abc") == BodyBuffer::Outcome::ok);
    CHECK(accountant.used() <= 70'000);
    CHECK(body.append(std::string(500'000, 'x')) == BodyBuffer::Outcome::ok);
    const size_t charged = accountant.used();
    CHECK(charged >= 500'003);
    CHECK(body.append(std::string(600'000, 'x')) == BodyBuffer::Outcome::too_large);
    const MemoryCharge charge = body.take_charge();
    const std::string data = body.take_data();
    CHECK(data.size() == 500'003);
    CHECK(data.capacity() >= data.size() + kReadSlack);
    for (size_t i = 0; i < kReadSlack; ++i) CHECK(data.data()[data.size() + i] == '\0');
    CHECK(charge.bytes() == charged);
  }
  CHECK(accountant.used() == 0);
}

TEST_CASE("a body received in place takes no more than its length or its limit", "[net]") {
  MemoryAccountant accountant(10U << 20U);
  BodyBuffer body;
  body.limit(400'000, 300'000, &accountant);
  size_t steps = 0;
  while (body.size() < 300'000) {
    const std::span<char> room = body.room(300'000 - body.size());
    REQUIRE_FALSE(room.empty());
    REQUIRE(body.size() + room.size() <= 300'000);
    CHECK(accountant.used() <= std::max<size_t>(65'536, 4 * (body.size() + kReadSlack)));
    std::fill(room.begin(), room.end(), static_cast<char>('a' + steps++));
    body.commit(room.size());
  }
  CHECK(steps > 1);
  CHECK(accountant.used() == 300'000 + kReadSlack);
  CHECK(body.append(std::string(100'001, 'x')) == BodyBuffer::Outcome::too_large);
  const std::string data = body.take_data();
  CHECK(data.size() == 300'000);
  CHECK(data.front() == 'a');
  CHECK(data.back() == static_cast<char>('a' + steps - 1));
  for (size_t i = 0; i < kReadSlack; ++i) CHECK(data.data()[data.size() + i] == '\0');

  BodyBuffer refused;
  MemoryAccountant small(1000);
  refused.limit(400'000, std::nullopt, &small);
  CHECK(refused.room(1).empty());
  CHECK(refused.outcome() == BodyBuffer::Outcome::no_memory);
}

TEST_CASE("public addresses are told from those behind which a proxy may stand", "[net]") {
  for (const char* address :
       {"8.8.8.8", "172.32.0.1", "100.128.0.1", "2001:db8::1", "::ffff:8.8.8.8"}) {
    INFO(address);
    CHECK(is_public_address(address));
  }
  for (const char* address :
       {"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "::1",
        "fd00::1", "fe80::1%eth0", "::ffff:10.0.0.1", "?", ""}) {
    INFO(address);
    CHECK_FALSE(is_public_address(address));
  }
}

TEST_CASE("a public address gets its share of connections, others as many as they want", "[net]") {
  AddressQuota quota(2);
  CHECK(quota.try_take("8.8.8.8"));
  CHECK(quota.try_take("8.8.8.8"));
  CHECK_FALSE(quota.try_take("8.8.8.8"));
  CHECK(quota.try_take("8.8.4.4"));
  for (int i = 0; i < 5; ++i) CHECK(quota.try_take("10.0.0.1"));
  quota.give_back("10.0.0.1");
  quota.give_back("8.8.8.8");
  CHECK(quota.try_take("8.8.8.8"));
  CHECK_FALSE(quota.try_take("8.8.8.8"));
}

TEST_CASE("encodings are offered with weights", "[net]") {
  CHECK(accepts_encoding("gzip, deflate, br", "gzip"));
  CHECK(accepts_encoding("GZIP;q=0.001", "gzip"));
  CHECK(accepts_encoding("*", "gzip"));
  CHECK_FALSE(accepts_encoding("*, gzip;q=0", "gzip"));
  CHECK_FALSE(accepts_encoding("gzip; q=0.0", "gzip"));
  CHECK_FALSE(accepts_encoding("xgzip", "gzip"));
  CHECK_FALSE(accepts_encoding("", "gzip"));
}

TEST_CASE("the server's own fields cannot be set by a handler", "[net]") {
  Response response = named("body");
  for (const char* name : {"Content-Length", "connection", "Transfer-Encoding", "X bad", ""}) {
    response.headers.add(name, "evil");
  }
  response.headers.add("X-Good", std::string("a\0b", 3));
  const std::string head = encode_head(response, {.close = true, .request_id = 255});
  CHECK(head.find("evil") == std::string::npos);
  CHECK(head.find("X-Good: a b\r\n") != std::string::npos);
  CHECK(head.find("Content-Length: 4\r\n") != std::string::npos);
  CHECK(head.find("Connection: close\r\n") != std::string::npos);
  CHECK(head.find("X-Request-Id: 00000000000000ff\r\n") != std::string::npos);
  response.status = 204;
  CHECK(encode_head(response, {}).find("Content-Length") == std::string::npos);
}

}  // namespace
}  // namespace hearth::net
