#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::objstore {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, 5.6.7, the form that servers send) → wall time.
std::optional<int64_t> parse_http_date(std::string_view text);
/// "2009-10-12T17:50:30.123Z", with or without the fraction (RFC 3339, UTC only) → wall time.
std::optional<int64_t> parse_iso_time(std::string_view text);
/// The form that parse_http_date() reads.
std::string http_date(int64_t wall_ns);
/// The form that parse_iso_time() reads, with milliseconds.
std::string iso_time(int64_t wall_ns);

}  // namespace hearth::objstore
