#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

/// Errors as values. Bad input, a full disk and a lost peer are values of this type; a broken invariant of ours is a CHECK
/// (base/check.h) and ends the process. This is the one public header that is not std-only.
namespace hearth {

/// One flat list; `api/error_table.cc` maps each code to HTTP and Connect.
enum class ErrorCode : unsigned char {
  invalid_argument,    ///< Malformed input. The caller must change the request.
  unauthenticated,     ///< No or a wrong credential or tenant.
  permission_denied,   ///< Known caller, not allowed.
  not_found,           ///< The named thing does not exist.
  conflict,            ///< State does not allow it (already there, busy).
  too_large,           ///< Over a size limit.
  resource_exhausted,  ///< This tenant's limit. Retry later.
  unimplemented,       ///< Not built.
  unavailable,         ///< Our weather: queue full, disk full, shutting down. Retry later.
  deadline_exceeded,   ///< The request's deadline passed.
  cancelled,           ///< The caller went away.
  data_loss,           ///< A checksum failed. Never reaches HTTP: the answer is 200 with `partial`.
  internal,            ///< A bug of ours that did not warrant a crash.
};

/// Name of a code, such as "invalid_argument".
const char* to_string(ErrorCode code);

/// What was attempted, on what, and why it failed.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;
  /// Reason for the `discarded` counters, such as "malformed_profile"; empty when none applies.
  std::string reason = {};
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// Builds the error side of a Result: `return fail(ErrorCode::not_found, "open segment …: …");`.
[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message, std::string reason = {}) {
  return tl::unexpected<Error>(Error{code, std::move(message), std::move(reason)});
}

}  // namespace hearth
