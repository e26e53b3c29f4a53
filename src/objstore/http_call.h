#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hearth::objstore {

/// Names and values in order; names of replies are in lower case.
using HttpFields = std::vector<std::pair<std::string, std::string>>;

/// First value of `name` (lower case), or "".
inline std::string_view field_value(const HttpFields& fields, std::string_view name) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return {};
}

/// One request as it goes on the wire. Views and text outlive the call.
struct HttpCall {
  std::string method;
  std::string url;  ///< Percent-encoded.
  HttpFields headers;
  std::string_view body;
  bool has_body = false;  ///< PUT and POST, also when `body` is empty.
  int64_t timeout_ms = 5000;
  uint64_t reply_max_bytes = 1U << 20U;
};

struct HttpReply {
  int status = 0;
  HttpFields headers;
  std::string body;
};

/// Moves requests. Blocking, thread-safe. Follows no redirect: a signature is made for one host.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;
  /// Answers of every status are values. Errors: `unavailable` when no whole answer came, with the
  /// reason "timeout" when time ran out; `permission_denied` when the certificate is not trusted;
  /// `too_large` when the answer exceeds its cap.
  [[nodiscard]] virtual Result<HttpReply> send(const HttpCall& call) = 0;
  /// Running and later calls fail within a moment.
  virtual void stop() {}
};

}  // namespace hearth::objstore
