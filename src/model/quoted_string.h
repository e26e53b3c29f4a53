#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

/// Reads one string literal in Go's notation at the start of `text`: "…" or '…' with escapes, or
/// `…` without. Returns its value; `*used` becomes the bytes it took, quotes included. On error
/// `*used` is the offset of the offending byte.
[[nodiscard]] Result<std::string> read_quoted(std::string_view text, size_t* used);

}  // namespace hearth
