#pragma once

#include <memory>
#include <string>

#include "objstore/http_call.h"

namespace hearth::objstore {

struct CurlOptions {
  std::string ca_file = {};     ///< Certificates to trust instead of the system's.
  size_t connections_max = 16;  ///< Calls at a time; more wait for their turn.
  int64_t connect_timeout_ms = 3000;
};

/// HTTP and HTTPS through libcurl. Connections are kept and reused; certificates are checked.
/// `unavailable` when libcurl is not installed.
[[nodiscard]] Result<std::unique_ptr<HttpTransport>> make_curl_transport(CurlOptions options);

}  // namespace hearth::objstore
