#pragma once

#include <string>
#include <string_view>

namespace hearth {

/// True when `s` is well-formed UTF-8 (Unicode 15, table 3-7: no surrogates, no overlong forms).
bool is_utf8(std::string_view s);
/// `s` with every malformed byte replaced by U+FFFD.
std::string to_valid_utf8(std::string_view s);

}  // namespace hearth
