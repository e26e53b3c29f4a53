#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::formats {

/// One part of a multipart/form-data body (RFC 7578).
struct MultipartPart {
  std::string name;
  std::string
      filename;  ///< As sent, of no authority: nothing is ever written under it. Empty when absent.
  bool has_filename = false;
  std::string content_type;  ///< Empty when absent.
  std::string_view body;     ///< Points into the parsed body.
};

constexpr size_t kMultipartPartsMax = 8;
constexpr size_t kMultipartHeadersMax = 1024;  ///< Bytes of headers of one part.
constexpr size_t kMultipartBoundaryMax = 70;   ///< RFC 2046.

/// True when the media type of `content_type` is multipart/form-data.
bool is_multipart_form(std::string_view content_type);

/// Splits `body` at the boundary that `content_type` names. What stands before the first boundary
/// and after the last one is ignored. Errors: invalid_argument for a missing or bad boundary, a
/// part without a name, headers or parts over their limits, a body that ends before the closing
/// boundary. Source: RFC 7578, RFC 2046 5.1.
[[nodiscard]] Result<std::vector<MultipartPart>> parse_multipart(std::string_view content_type,
                                                                 std::string_view body);

}  // namespace hearth::formats
