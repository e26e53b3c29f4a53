#include "server/web.h"

#include <algorithm>
#include <array>

#include "base/file_system.h"
#include "net/answer.h"
#include "server/web_files.h"

namespace hearth::server {
namespace {

using std::string_view;

constexpr string_view kPolicy =
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types hearth";

constexpr string_view kNoPage =
    "This build of hearth has no web page (it was configured with -Dweb=disabled).\n"
    "The API works: POST /ingest, GET /pyroscope/render, the Connect services of Pyroscope,\n"
    "/metrics, /ready. From a terminal: hearth push FILE, hearth query 'TYPE{selector}'.\n";

// Those that the page of this build knows; /comparison… are old links, which it rewrites.
constexpr std::array<string_view, 5> kRoutes = {"/", "/explore", "/comparison", "/comparison-diff",
                                                "/send"};

void add_security_headers(net::Response& response) {
  response.headers.add("Content-Security-Policy", std::string(kPolicy));
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("Referrer-Policy", "no-referrer");
}

net::Response plain_text(string_view text) {
  net::Response response;
  response.headers.add("Content-Type", "text/plain; charset=utf-8");
  response.body = text;
  add_security_headers(response);
  return response;
}

const WebFile* find_file(string_view path) {
  const auto files = web_files();
  const auto it = std::ranges::lower_bound(files, path, {}, &WebFile::path);
  return it != files.end() && it->path == path ? &*it : nullptr;
}

bool matches_etag(string_view if_none_match, string_view etag) {
  return if_none_match == "*" || if_none_match.find(etag) != string_view::npos;
}

// Sets the body in the best form that the client takes.
void choose_encoding(const net::Request& request, const WebFile& file, net::Response& response) {
  const string_view offered = request.headers.get("Accept-Encoding");
  if (!file.brotli.empty() && net::accepts_encoding(offered, "br")) {
    response.headers.add("Content-Encoding", "br");
    response.body = file.brotli;
  } else if (!file.gzip.empty() && net::accepts_encoding(offered, "gzip")) {
    response.headers.add("Content-Encoding", "gzip");
    response.body = file.gzip;
  } else {
    response.body = file.identity;
  }
}

net::Response serve_file(const net::Request& request, const WebFile& file) {
  net::Response response;
  response.no_compression = true;
  response.headers.add("ETag", std::string(file.etag));
  response.headers.add("Cache-Control",
                       file.immutable ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.add("Vary", "Accept-Encoding");
  if (matches_etag(request.headers.get("If-None-Match"), file.etag)) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", std::string(file.media_type));
  add_security_headers(response);
  choose_encoding(request, file, response);
  return response;
}

string_view media_type_of(string_view path) {
  constexpr std::pair<string_view, string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".json", "application/json"},
      {".png", "image/png"},
      {".woff2", "font/woff2"},
  };
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::optional<net::Response> serve_from_disk(const std::string& ui_dir, const std::string& path) {
  // Compressed forms lie next to the files; a path with dots upwards is nobody's file.
  if (path.find("..") != std::string::npos || path.ends_with('/')) return std::nullopt;
  const auto file = posix_file_system().open(ui_dir + path);
  if (!file) return std::nullopt;
  net::Response response;
  response.headers.add("Content-Type", std::string(media_type_of(path)));
  response.headers.add("Cache-Control", "no-store");
  add_security_headers(response);
  response.body = (*file)->data();
  return response;
}

std::optional<net::Response> find_page(const net::Request& request, const std::string& ui_dir,
                                       const std::string& path) {
  if (!ui_dir.empty()) return serve_from_disk(ui_dir, path);
  const WebFile* file = find_file(path);
  if (file == nullptr) return std::nullopt;
  return serve_file(request, *file);
}

// A browser's navigation lists text/html before anything else.
bool prefers_html(const net::Request& request) {
  const string_view accept = request.headers.get("Accept");
  return accept.substr(0, accept.find(',')).starts_with("text/html");
}

}  // namespace

bool is_client_route(string_view path) {
  return std::ranges::find(kRoutes, path) != kRoutes.end();
}

std::optional<net::Response> serve_web(const net::Request& request, const std::string& ui_dir) {
  const bool client_route = is_client_route(request.path);
  if (client_route && ui_dir.empty() && web_files().empty()) return plain_text(kNoPage);
  if (client_route) return find_page(request, ui_dir, "/index.html");
  if (auto response = find_page(request, ui_dir, request.path)) return response;
  if (!prefers_html(request)) return std::nullopt;
  auto shell = find_page(request, ui_dir, "/index.html");
  if (shell && shell->status == 200) shell->status = 404;
  return shell && shell->status == 404 ? shell : std::nullopt;
}

}  // namespace hearth::server
