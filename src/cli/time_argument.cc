#include "cli/time_argument.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "api/attime.h"

namespace hearth::cli {
namespace {

using std::string_view;

bool is_digits(string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Reads exactly `digits` digits and the character `behind` ('\0': none) from the front.
std::optional<int> take(string_view& text, size_t digits, char behind) {
  if (!is_digits(text.substr(0, digits)) || text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) value = value * 10 + (c - '0');
  text.remove_prefix(digits);
  if (behind == '\0') return value;
  if (text.empty() || text[0] != behind) return std::nullopt;
  text.remove_prefix(1);
  return value;
}

// Nanoseconds of ".123456789", which may be absent.
std::optional<int64_t> take_fraction(string_view& text) {
  if (!text.starts_with('.')) return 0;
  text.remove_prefix(1);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return std::nullopt;
  int64_t ns = 0;
  for (size_t i = 0; i < 9; ++i) ns = ns * 10 + (i < digits ? text[i] - '0' : 0);
  text.remove_prefix(digits);
  return ns;
}

// Seconds east of UTC of "Z" or "+01:00", up to the end.
std::optional<int> take_zone(string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '+' ? 1 : -1;
  text.remove_prefix(1);
  const auto hours = take(text, 2, ':');
  const auto minutes = hours ? take(text, 2, '\0') : std::nullopt;
  if (!minutes || !text.empty() || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

std::optional<int64_t> parse_rfc3339(string_view text) {
  const auto year = take(text, 4, '-');
  const auto month = year ? take(text, 2, '-') : std::nullopt;
  const auto day = month ? take(text, 2, '\0') : std::nullopt;
  if (!day || text.empty() || (text[0] != 'T' && text[0] != 't' && text[0] != ' ')) {
    return std::nullopt;
  }
  text.remove_prefix(1);
  const auto hour = take(text, 2, ':');
  const auto minute = hour ? take(text, 2, ':') : std::nullopt;
  const auto second = minute ? take(text, 2, '\0') : std::nullopt;
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto zone = fraction ? take_zone(text) : std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  // Beyond these years nanoseconds do not fit 64 bits.
  if (!zone || !date.ok() || *year < 1678 || *year > 2261) return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = days * 86'400 + *hour * 3600 + *minute * 60 + *second - *zone;
  return seconds * 1'000'000'000 + *fraction;
}

// "now", "now-1h", "now+90min".
bool is_relative(string_view text) {
  if (!text.starts_with("now")) return false;
  text.remove_prefix(3);
  if (text.empty()) return true;
  if (text[0] != '-' && text[0] != '+') return false;
  text.remove_prefix(1);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  constexpr string_view kUnits[] = {"s", "m", "min", "h", "d", "w", "M", "mon", "y"};
  return digits > 0 && std::ranges::find(kUnits, text.substr(digits)) != std::end(kUnits);
}

}  // namespace

Result<int64_t> parse_time(string_view text, int64_t now_ns) {
  if (is_digits(text) || is_relative(text)) return api::parse_attime(text, now_ns);
  if (const auto ns = parse_rfc3339(text)) return *ns;
  return fail(
      ErrorCode::invalid_argument,
      fmt::format("got \"{}\"; want now-1h, 2026-01-31T12:00:00Z or seconds since 1970", text));
}

std::string format_time(int64_t ns) {
  using std::chrono::floor;
  const std::chrono::sys_time<std::chrono::nanoseconds> time{std::chrono::nanoseconds(ns)};
  const auto day = floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(time - day));
  return fmt::format("{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d} UTC", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace hearth::cli
