#pragma once

#include <span>
#include <string_view>

/// The web page's files, compiled in by web/embed.mjs: a constant table, no file system at run time.
namespace hearth::server {

struct WebFile {
  std::string_view path;        ///< URL path: "/index.html", "/favicon.svg", "/assets/main-ABCD1234.js".
  std::string_view media_type;  ///< Content-Type as sent.
  std::string_view etag;        ///< Of the identity form, with its quotes.
  bool immutable;               ///< The name holds a content hash: cache for a year.
  std::string_view identity, gzip, brotli;
};

/// All files, sorted by path; empty in a build with -Dweb=disabled.
std::span<const WebFile> web_files();

}  // namespace hearth::server
