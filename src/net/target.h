#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hearth::net {

/// A request target taken apart: the path percent-decoded once, the query as decoded pairs in
/// order.
struct Target {
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;
};

/// Origin form (`/path?query`) or absolute form (`http://host/path?query`, RFC 9112 3.2.2). In the
/// query '+' is a space and a percent sign that starts no escape stands for itself. Errors:
/// `invalid_argument` for another form, a malformed escape or a NUL in the path, more than 1,000
/// query pairs.
[[nodiscard]] Result<Target> parse_target(std::string_view target);

/// Escapes everything but unreserved characters (RFC 3986 2.3).
std::string percent_encode(std::string_view text);

}  // namespace hearth::net
