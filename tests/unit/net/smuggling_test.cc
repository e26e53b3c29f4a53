#include "server_fixture.h"

namespace hearth {
namespace {

using namespace test;

// Each of these could be read by a proxy as another message than by us. The request that follows on
// the same connection must never run (RFC 9112, section 11.2).
using namespace std::string_view_literals;
const std::pair<std::string_view, std::string_view> kAmbiguous[] = {
    {"CL and TE",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n"},
    {"TE and CL",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: "
     "5\r\n\r\n0\r\n\r\n"},
    {"two different CLs",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n"},
    {"two equal CLs",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n"},
    {"CL list", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0, 0\r\n\r\n"},
    {"CL with sign", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n"},
    {"negative CL", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n"},
    {"hex CL", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 0x0\r\n\r\n"},
    {"empty CL", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n"},
    {"CL over 64 bits",
     "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551616\r\n\r\n"},
    {"blank before the colon", "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 0\r\n\r\n"},
    {"tab before the colon",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"},
    {"TE xchunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {"TE identity", "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n"},
    {"TE chunked, identity",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"},
    {"TE gzip, chunked",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {"TE twice",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
     "chunked\r\n\r\n0\r\n\r\n"},
    {"TE with a vertical tab",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0b"
     "chunked\r\n\r\n0\r\n\r\n"},
    {"TE quoted",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"},
    {"TE folded",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
    {"TE under HTTP/1.0",
     "POST /echo HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {"folded header", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"},
    {"first header folded", "GET /hello HTTP/1.1\r\n Host: a\r\n\r\n"},
    {"bare LF in the head", "GET /hello HTTP/1.1\nHost: a\n\n"},
    {"one bare LF", "GET /hello HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"},
    {"bare CR in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n"},
    {"NUL in a value", "GET /hello HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"sv},
    {"no Host", "GET /hello HTTP/1.1\r\n\r\n"},
    {"two Hosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"},
    {"name is no token", "GET /hello HTTP/1.1\r\nHost: a\r\nX(y): z\r\n\r\n"},
    {"empty name", "GET /hello HTTP/1.1\r\nHost: a\r\n: z\r\n\r\n"},
    {"line without a colon", "GET /hello HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n"},
    {"three words too many", "GET /hello x HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"two blanks", "GET  /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"tab for a blank", "GET\t/hello\tHTTP/1.1\r\nHost: a\r\n\r\n"},
    {"version 0.9", "GET /hello\r\n\r\n"},
    {"version in lower case", "GET /hello http/1.1\r\nHost: a\r\n\r\n"},
    {"empty line first", "\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n"},
    {"chunk extension",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\nx\r\n0\r\n\r\n"},
    {"extension of the last chunk",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0;a\r\n\r\n"},
    {"trailer",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n"},
    {"chunk size with 0x",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n"},
    {"chunk size with a sign",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n"},
    {"chunk size over 64 bits",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
     "chunked\r\n\r\n10000000000000001\r\nx\r\n0\r\n\r\n"},
    {"empty chunk size",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n"},
    {"bare LF after a chunk size",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\r\n0\r\n\r\n"},
    {"chunk longer than its size",
     "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"},
};

TEST_CASE("what two parsers could read differently is refused, and nothing after it runs",
          "[net]") {
  ServerFixture fixture;
  for (const auto& [name, bytes] : kAmbiguous) {
    INFO(name);
    RawClient client(fixture.port());
    client.send(std::string(bytes) + get("/hello"));
    const std::string answers = client.read_all();
    const int status = status_of(answers);
    CHECK((status == 400 || status == 505));
    CHECK(has(answers, "Connection: close"));
    CHECK_FALSE(has(answers, "HTTP/1.1 200"));
  }
  CHECK(fixture.handled == 0);
}

TEST_CASE("a length that is too short leaves bytes that are no request", "[net]") {
  ServerFixture fixture;
  RawClient client(fixture.port());
  client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcdef\r\n\r\n" +
              get("/hello"));
  CHECK(body_of(client.read_answer()) == "abc");
  CHECK(status_of(client.read_answer()) == 400);
  CHECK(client.at_end());
  CHECK(fixture.handled == 1);
}

}  // namespace
}  // namespace hearth
