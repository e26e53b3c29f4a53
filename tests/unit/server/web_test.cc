#include "server/web.h"

#include <algorithm>
#include <fstream>

#include "server/web_files.h"
#include "support/catch.h"
#include "support/temp_dir.h"

namespace hearth::server {
namespace {

net::Request request(std::string path,
                     std::vector<std::pair<std::string, std::string>> fields = {}) {
  net::Request out;
  out.method = "GET";
  out.path = std::move(path);
  for (auto& [name, value] : fields) out.headers.add(name, value);
  return out;
}

TEST_CASE("client routes are a closed list", "[server]") {
  for (const char* path :
       {"/", "/explore", "/comparison", "/comparison-diff", "/send"}) {
    CHECK(is_client_route(path));
  }
  for (const char* path : {"/explore/", "/diff", "/profile/abc", "/api", "/ingest", "", "/assets/a.js"}) {
    CHECK_FALSE(is_client_route(path));
  }
}

TEST_CASE("files of the page carry tags, encodings and headers", "[server]") {
  if (web_files().empty()) {
    const auto answer = serve_web(request("/explore"), "");
    REQUIRE(answer);
    CHECK(answer->body.find("no web page") != std::string::npos);
    CHECK_FALSE(serve_web(request("/nothing"), ""));
    return;
  }
  const auto plain = serve_web(request("/explore"), "");
  REQUIRE(plain);
  CHECK(plain->headers.get("Cache-Control") == "no-cache");
  CHECK(plain->headers.get("Content-Security-Policy").find("default-src 'self'") == 0);
  CHECK(plain->headers.get("X-Content-Type-Options") == "nosniff");
  const std::string tag(plain->headers.get("ETag"));
  CHECK(serve_web(request("/", {{"If-None-Match", tag}}), "")->status == 304);
  CHECK(serve_web(request("/", {{"If-None-Match", "\"other\""}}), "")->status == 200);
  CHECK(serve_web(request("/nothing", {{"Accept", "text/html,*/*"}}), "")->status == 404);
  CHECK_FALSE(serve_web(request("/nothing", {{"Accept", "*/*"}}), ""));
  const auto hashed = std::ranges::find_if(
      web_files(), [](const WebFile& f) { return f.immutable && !f.brotli.empty(); });
  REQUIRE(hashed != web_files().end());
  const auto br =
      serve_web(request(std::string(hashed->path), {{"Accept-Encoding", "gzip, br"}}), "");
  REQUIRE(br);
  CHECK(br->headers.get("Content-Encoding") == "br");
  CHECK(br->headers.get("Cache-Control") == "public, max-age=31536000, immutable");
  CHECK(br->body == hashed->brotli);
  CHECK(serve_web(request(std::string(hashed->path)), "")->body == hashed->identity);
}

TEST_CASE("a folder can stand in for the embedded page, and nothing outside it is served",
          "[server]") {
  const test::TempDir dir;
  std::ofstream(dir.path() + "/index.html") << "page";
  std::ofstream(dir.path() + "/app.js") << "code";
  CHECK(serve_web(request("/explore"), dir.path())->body == "page");
  const auto script = serve_web(request("/app.js"), dir.path());
  REQUIRE(script);
  CHECK(script->headers.get("Content-Type") == "text/javascript; charset=utf-8");
  CHECK_FALSE(serve_web(request("/../../../../../../../../etc/passwd"), dir.path()));
  CHECK(serve_web(request("/nothing", {{"Accept", "text/html"}}), dir.path())->status == 404);
}

}  // namespace
}  // namespace hearth::server
