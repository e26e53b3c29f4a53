#include "model/trace_ids.h"

#include <charconv>

namespace hearth {

std::optional<uint64_t> parse_span_id(std::string_view text) {
  constexpr size_t kDigits = 16;
  uint64_t id = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, id, 16);
  if (text.size() != kDigits || error != std::errc{} || stop != end) return std::nullopt;
  return id;
}

std::optional<Id128> parse_trace_id(std::string_view text) {
  constexpr size_t kHalf = 16;
  if (text.size() != 2 * kHalf) return std::nullopt;
  const auto hi = parse_span_id(text.substr(0, kHalf));
  const auto lo = parse_span_id(text.substr(kHalf));
  if (!hi || !lo) return std::nullopt;
  return Id128{*hi, *lo};
}

}  // namespace hearth
