#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/http.h"

namespace hearth::server {

/// Answers GET and HEAD of the page: embedded files as they are; client routes get
/// /index.html; other paths get it with status 404 when the client prefers HTML. Negotiates brotli,
/// gzip or identity, answers 304 for a matching If-None-Match, sets cache and security headers.
/// A build without the page says so on its routes in plain text.
/// `ui_dir` (development) serves the files of a folder instead of the embedded ones, uncached.
/// nullopt: neither the page's nor a file; the caller answers 404 in its own error form.
std::optional<net::Response> serve_web(const net::Request& request, const std::string& ui_dir);

/// True for paths that the page itself handles: `/`, `/explore`, …, `/profile/<id>`.
bool is_client_route(std::string_view path);

}  // namespace hearth::server
