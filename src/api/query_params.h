#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hearth/profile_type.h"
#include "ingest/limits.h"
#include "model/selector.h"
#include "query/engine.h"

namespace hearth::api {

/// Rules common to all queries (docs/http_api.md 3).
///
/// A range in milliseconds, both ends inclusive. `invalid_argument` when an end is 0, when start >
/// end, or when the range is longer than the limit. nullopt: the range lies before the look-back
/// limit; the answer is empty and nothing else is checked.
[[nodiscard]] Result<std::optional<query::TimeRange>> query_range(const ingest::Limits& limits,
                                                                  int64_t now_ns, int64_t start_ms,
                                                                  int64_t end_ms);

/// The number of nodes a caller may ask for: absent or 0 gives the default. `invalid_argument` when
/// negative or over the limit.
[[nodiscard]] Result<int64_t> node_budget(const ingest::Limits& limits,
                                          std::optional<int64_t> max_nodes);

/// All matchers of all selectors together.
[[nodiscard]] Result<Selector> all_of(std::span<const std::string> selectors);

/// True for [a-zA-Z_][a-zA-Z0-9_]*: what a caller understands that has not declared more.
bool is_legacy_label_name(std::string_view name);

/// A span id (16 hex digits) or trace id (32).
bool is_hex_id(std::string_view id, size_t digits);

/// Milliseconds as nanoseconds, held at the ends of int64.
int64_t ms_to_ns(int64_t ms);

}  // namespace hearth::api
