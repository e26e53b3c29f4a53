#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::server {

/// "32MiB", "64KB", "1.5GiB", "512B", "4096" → bytes. KiB, MiB, GiB, TiB are powers of 1024, KB,
/// MB, GB, TB of 1000.
[[nodiscard]] Result<uint64_t> parse_bytes(std::string_view text);
/// The largest unit that divides exactly: 33554432 → "32MiB"; 0 → "0".
std::string format_bytes(uint64_t bytes);

/// "60s", "250ms", "1h30m", "7d", "0" → nanoseconds. Units ns, us, ms, s, m, h, d, w; a number
/// without a unit must be 0.
[[nodiscard]] Result<int64_t> parse_duration_ns(std::string_view text);
/// 60000000000 → "1m", 90000000000 → "90s".
std::string format_duration_ns(int64_t ns);

/// "true", "yes", "on", "1" and their opposites.
[[nodiscard]] Result<bool> parse_bool(std::string_view text);
/// A decimal number from 0 to `max`.
[[nodiscard]] Result<uint64_t> parse_count(std::string_view text, uint64_t max);

/// The candidate that a mistyped name most likely meant, or "" when none is near.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace hearth::server
