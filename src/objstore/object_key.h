#pragma once

#include <string_view>

#include "base/result.h"

namespace hearth::objstore {

/// A key is a relative path of [A-Za-z0-9!-_.*'()/], at most 1,024 bytes, whose components are not
/// empty, ".", "..", nor longer than 255 bytes (a file name on every file system).
/// Everything else is `invalid_argument`.
[[nodiscard]] Status check_key(std::string_view key);

}  // namespace hearth::objstore
