#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::net {

/// Outcome of looking at the raw bytes of a request head. `status` 0: the head is acceptable.
struct HeadVerdict {
  int status = 0;  ///< 400, 414, 431, 501 or 505; the connection must be closed after the answer.
  std::string message;
};

struct HeadLimits {
  size_t head_max_bytes = 16 * 1024;
  size_t target_max_bytes = 8 * 1024;
  size_t fields_max = 100;
};

/// Strict check of a complete request head, "GET / HTTP/1.1\r\n…\r\n\r\n", before any parser sees
/// it (RFC 9112; its section 11.2 is request smuggling). Whatever two implementations could read
/// differently is refused: bare CR or LF, folded lines, space before a colon, a name that is no
/// token, control characters, more than one Content-Length (even if equal), a Content-Length that
/// is not plain digits, Content-Length together with Transfer-Encoding, any Transfer-Encoding but
/// exactly "chunked", Transfer-Encoding under HTTP/1.0, and none or several Host fields under
/// HTTP/1.1.
HeadVerdict check_head(std::string_view head, const HeadLimits& limits);

/// For a head that is not complete yet: whether more bytes may still make it acceptable.
HeadVerdict check_partial_head(std::string_view received, const HeadLimits& limits);

}  // namespace hearth::net
