#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::objstore {

/// The string members of a JSON object; others are left out. `invalid_argument` when `text` is no
/// object or nested deeper than this needs.
[[nodiscard]] Result<std::map<std::string, std::string>> json_strings(std::string_view text);

}  // namespace hearth::objstore
