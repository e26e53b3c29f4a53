#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::cli {

/// A time on the command line, in nanoseconds UTC: RFC 3339 (`2026-01-31T12:00:00Z`, `…+01:00`),
/// seconds since 1970 (13 digits: milliseconds, 16: microseconds, 19: nanoseconds), a day
/// (`20260131`), or `now` with an offset (`now-1h`).
[[nodiscard]] Result<int64_t> parse_time(std::string_view text, int64_t now_ns);

/// "2026-01-31 12:00:00 UTC".
std::string format_time(int64_t ns);

}  // namespace hearth::cli
