#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "net/http.h"

namespace hearth::net {

/// "Not Found" for 404; "Status" for numbers without a name.
std::string_view status_text(int status);

/// True when an Accept-Encoding value offers `coding` with a weight above zero ("*" offers
/// everything not named).
bool accepts_encoding(std::string_view accept_encoding, std::string_view coding);

/// Compresses the body with gzip level 1 when the client offers it, the body has at least
/// `min_bytes`, its media type is compressible and it carries no encoding yet. Sets
/// Content-Encoding and Vary.
void compress_answer(const Request& request, size_t min_bytes, Response& response);

/// Status line and fields up to the empty line, for a body of `response.body.size()` bytes. Fields
/// that frame the message (Content-Length, Connection, Transfer-Encoding, Date) are written here
/// and taken from no handler; CR, LF and NUL in values become blanks, and a field whose name is no
/// token is left out, so that no value can split the head.
struct HeadOptions {
  bool close = false;
  uint64_t request_id = 0;
  int64_t wall_ns = 0;  ///< For Date; 0 leaves it out.
};
std::string encode_head(const Response& response, const HeadOptions& options);

/// False for 1xx, 204 and 304: such an answer has no body.
bool status_has_body(int status);

/// A request id as 16 hex digits.
std::string request_id_text(uint64_t id);

}  // namespace hearth::net
