#include "api/query_params.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/saturate.h"

namespace hearth::api {
namespace {

std::string duration_text(int64_t ns) {
  const int64_t s = ns / 1'000'000'000;
  return fmt::format("{}h{}m{}s", s / 3600, s / 60 % 60, s % 60);
}

bool is_alpha(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

}  // namespace

int64_t ms_to_ns(int64_t ms) {
  return multiply_saturating(ms, 1'000'000);
}

Result<std::optional<query::TimeRange>> query_range(const ingest::Limits& limits, int64_t now_ns,
                                                    int64_t start_ms, int64_t end_ms) {
  if (start_ms == 0 || end_ms == 0)
    return fail(ErrorCode::invalid_argument, "missing time range in the query",
                "missing_time_range");
  if (start_ms > end_ms)
    return fail(ErrorCode::invalid_argument, "query start time is after end time",
                "invalid_time_range");
  query::TimeRange range{ms_to_ns(start_ms), ms_to_ns(end_ms)};
  if (limits.query_lookback_max_ns > 0) {
    const int64_t oldest = now_ns - limits.query_lookback_max_ns;
    if (range.end_ns < oldest) return std::nullopt;
    range.start_ns = std::max(range.start_ns, oldest);
  }
  const int64_t length = subtract_saturating(range.end_ns, range.start_ns);
  if (limits.query_length_max_ns > 0 && length > limits.query_length_max_ns) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format(
            "the query time range exceeds the limit (max_query_length, actual: {}, limit: {})",
            duration_text(length), duration_text(limits.query_length_max_ns)),
        "query_limit");
  }
  return range;
}

Result<int64_t> node_budget(const ingest::Limits& limits, std::optional<int64_t> max_nodes) {
  const int64_t asked = max_nodes.value_or(0);
  if (asked == 0) return limits.flame_nodes_default;
  if (asked < 0) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("max flamegraph nodes limit must be set (max allowed {})",
                            limits.flame_nodes_max),
                "flamegraph_limit");
  }
  if (limits.flame_nodes_max > 0 && asked > limits.flame_nodes_max) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("max flamegraph nodes limit {} is greater than allowed {}", asked,
                            limits.flame_nodes_max),
                "flamegraph_limit");
  }
  return asked;
}

Result<Selector> all_of(std::span<const std::string> selectors) {
  Selector all;
  for (const std::string& text : selectors) {
    HEARTH_ASSIGN_OR_RETURN(const Selector selector, Selector::parse(text));
    for (const Matcher& matcher : selector.matchers()) all.add(matcher);
  }
  return all;
}

bool is_legacy_label_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::ranges::all_of(name, [](char c) { return is_alpha(c) || is_digit(c); });
}

bool is_hex_id(std::string_view id, size_t digits) {
  return id.size() == digits && std::ranges::all_of(id, is_hex);
}

}  // namespace hearth::api
