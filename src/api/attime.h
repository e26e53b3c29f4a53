#pragma once

#include <cstdint>
#include <string_view>

namespace hearth::api {

/// The time syntax of /ingest and /pyroscope/render, in nanoseconds UTC.
/// `20260131` is a day; other digits are seconds, or by their length milliseconds (13),
/// microseconds (16), nanoseconds (19); anything else is *now* plus an offset such as `now-1h`.
/// Never fails: what cannot be read is *now*. Saturates at int64.
int64_t parse_attime(std::string_view text, int64_t now_ns);

}  // namespace hearth::api
