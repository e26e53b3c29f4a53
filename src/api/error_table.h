#pragma once

#include <string_view>

#include "base/result.h"

namespace hearth::api {

/// How one ErrorCode appears on the wire. The only place that knows: every dialect reads this
/// table.
struct ErrorRow {
  ErrorCode code;
  std::string_view
      connect;  ///< Connect's name of the code; also the `code` of JSON errors of other dialects.
  int connect_status;  ///< HTTP status of a Connect answer.
  int plain_status;    ///< HTTP status of plain HTTP handlers and of the page's API.
  int payload_status;  ///< HTTP status when `/ingest` refuses what the body holds
                       ///< (docs/http_api.md 1).
};

const ErrorRow& error_row(ErrorCode code);

/// The `code` of a plain HTTP error whose status a handler forced, taken from it as
/// Connect clients do: 404 → "unimplemented", 422 → "unknown".
std::string_view code_of_status(int status);

/// 429 and 503: the client should come back, so the answer carries Retry-After.
bool is_retryable(int status);

}  // namespace hearth::api
