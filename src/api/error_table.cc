#include "api/error_table.h"

#include <array>
#include <cstddef>

namespace hearth::api {
namespace {

// A size limit is the client's mistake, not a shortage: Connect's resource_exhausted would make
// agents retry (15). data_loss never leaves the query engine as an error; the row exists so that
// the table is complete.
constexpr std::array kTable{
    ErrorRow{ErrorCode::invalid_argument, "invalid_argument", 400, 400, 422},
    ErrorRow{ErrorCode::unauthenticated, "unauthenticated", 401, 401, 401},
    ErrorRow{ErrorCode::permission_denied, "permission_denied", 403, 403, 403},
    ErrorRow{ErrorCode::not_found, "not_found", 404, 404, 404},
    ErrorRow{ErrorCode::conflict, "already_exists", 409, 409, 409},
    ErrorRow{ErrorCode::too_large, "invalid_argument", 400, 413, 422},
    ErrorRow{ErrorCode::resource_exhausted, "resource_exhausted", 429, 429, 429},
    ErrorRow{ErrorCode::unimplemented, "unimplemented", 501, 501, 422},
    ErrorRow{ErrorCode::unavailable, "unavailable", 503, 503, 503},
    ErrorRow{ErrorCode::deadline_exceeded, "deadline_exceeded", 504, 504, 504},
    ErrorRow{ErrorCode::cancelled, "canceled", 499, 499, 499},
    ErrorRow{ErrorCode::data_loss, "data_loss", 500, 500, 500},
    ErrorRow{ErrorCode::internal, "internal", 500, 500, 500},
};

constexpr bool in_order() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<size_t>(kTable[i].code) != i) return false;
  }
  return true;
}
static_assert(in_order(), "the table is indexed by ErrorCode");

}  // namespace

const ErrorRow& error_row(ErrorCode code) {
  return kTable[static_cast<size_t>(code)];
}

std::string_view code_of_status(int status) {
  switch (status) {
    case 400:
    case 413:
      return "invalid_argument";
    case 401:
      return "unauthenticated";
    case 403:
      return "permission_denied";
    case 404:
      return "unimplemented";
    case 412:
      return "failed_precondition";
    case 429:
      return "resource_exhausted";
    case 502:
    case 503:
      return "unavailable";
    case 504:
      return "deadline_exceeded";
    default:
      return "unknown";
  }
}

bool is_retryable(int status) {
  return status == 429 || status == 503;
}

}  // namespace hearth::api
