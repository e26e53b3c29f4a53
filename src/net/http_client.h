#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace hearth::net {

struct ClientResponse {
  int status = 0;
  Headers headers;
  std::string body;
};

/// An `http://host[:port][/path]` address taken apart.
struct Url {
  std::string host;
  std::string port = "80";
  std::string target = "/";  ///< Path and query.
  /// `invalid_argument` for another scheme, user information or no host.
  [[nodiscard]] static Result<Url> parse(std::string_view text);
};

/// Sends one request and blocks until the answer is complete, for at most `timeout_ms` in all.
/// Answers of every status are values. A body is sent with its length, also when empty, unless the
/// method is GET or HEAD. Errors: `invalid_argument` for the URL; `unavailable` when the server
/// cannot be reached or breaks off; `deadline_exceeded`; `too_large` for an answer over 1 GiB.
[[nodiscard]] Result<ClientResponse> fetch(const std::string& url, const std::string& method,
                                           const Headers& headers, std::string body,
                                           int64_t timeout_ms);

}  // namespace hearth::net
