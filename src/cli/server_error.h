#pragma once

#include <string>

#include "net/http_client.h"

namespace hearth::cli {

/// "status 422: MESSAGE", with the message of a JSON error body or the body's text.
std::string describe_refusal(const net::ClientResponse& answer);

}  // namespace hearth::cli
