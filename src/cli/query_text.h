#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::cli {

/// `TYPE{SELECTOR}` in two: a valid five-part profile type and a selector with its braces ("{}"
/// when absent).
struct QueryText {
  std::string profile_type;
  std::string selector;
};
/// Whether the selector parses is the server's business.
[[nodiscard]] Result<QueryText> parse_query_text(std::string_view text);

}  // namespace hearth::cli
