#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/random.h"

/// Ids of spans and traces in the text form of W3C Trace Context: hexadecimal digits of either
/// case.
namespace hearth {

/// 16 digits; nullopt for anything else. 0 means "no span".
[[nodiscard]] std::optional<uint64_t> parse_span_id(std::string_view text);
/// 32 digits. All zero means "no trace".
[[nodiscard]] std::optional<Id128> parse_trace_id(std::string_view text);

}  // namespace hearth
