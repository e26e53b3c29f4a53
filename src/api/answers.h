#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/http.h"

namespace hearth::api {

/// Bodies of the common answers. Errors are `{"code": …, "message": …}` in every dialect that
/// speaks JSON.
net::Response json_response(std::string body);
net::Response text_response(int status, std::string body);
/// Status and code from the table's Connect columns.
net::Response connect_error(const Error& error);
/// Status and code from the table's plain columns, with `nosniff`.
net::Response plain_error(const Error& error);
/// A status forced by the handler; the code follows from it.
net::Response plain_error(int status, std::string_view message);
/// Error of the page's API: `{code, message, request, field?, column?}` (docs/ui_api.md 1).
net::Response ui_error(const net::Request& request, const Error& error, std::string_view field = {},
                       std::optional<size_t> column = {});
/// 405 with `Allow`, no body.
net::Response method_not_allowed(std::string_view allow);

}  // namespace hearth::api
