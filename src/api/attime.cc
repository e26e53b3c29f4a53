#include "api/attime.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>
#include <string>

#include "base/saturate.h"

namespace hearth::api {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kDay = 86'400 * kSecond;

int64_t to_int(std::string_view digits) {
  int64_t v = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), v);
  return error == std::errc::result_out_of_range ? INT64_MAX : v;
}

std::optional<int64_t> day_ns(std::string_view digits) {
  if (digits.size() != 8) return std::nullopt;
  const std::chrono::year_month_day day(
      std::chrono::year(static_cast<int>(to_int(digits.substr(0, 4)))),
      std::chrono::month(static_cast<unsigned>(to_int(digits.substr(4, 2)))),
      std::chrono::day(static_cast<unsigned>(to_int(digits.substr(6, 2)))));
  if (static_cast<int>(day.year()) <= 1900 || !day.ok()) return std::nullopt;
  return multiply_saturating(std::chrono::sys_days(day).time_since_epoch().count(), kDay);
}

int64_t digits_ns(std::string_view digits) {
  if (const auto day = day_ns(digits)) return *day;
  const int64_t v = to_int(digits);
  switch (digits.size()) {
    case 13:
      return multiply_saturating(v, 1'000'000);
    case 16:
      return multiply_saturating(v, 1'000);
    case 19:
      return v;
    default:
      return multiply_saturating(v, kSecond);
  }
}

int64_t unit_ns(std::string_view unit) {
  if (unit == "s") return kSecond;
  if (unit == "m" || unit == "min") return 60 * kSecond;
  if (unit == "h") return 3600 * kSecond;
  if (unit == "d") return kDay;
  if (unit == "w") return 7 * kDay;
  if (unit == "M" || unit == "mon") return 30 * kDay;
  if (unit == "y") return 365 * kDay;
  return 0;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "1h30m" → the sum of its parts.
int64_t offset_ns(std::string_view text) {
  int64_t sum = 0;
  while (!text.empty()) {
    const auto unit_begin = std::find_if_not(text.begin(), text.end(), is_digit);
    const auto unit_end = std::find_if(unit_begin, text.end(), is_digit);
    if (unit_begin == text.begin()) return sum;
    const int64_t unit = unit_ns(std::string_view(unit_begin, unit_end));
    sum = add_saturating(
        sum, multiply_saturating(to_int(std::string_view(text.begin(), unit_begin)), unit));
    text = std::string_view(unit_end, text.end());
  }
  return sum;
}

}  // namespace

int64_t parse_attime(std::string_view text, int64_t now_ns) {
  std::string clean;
  std::ranges::copy_if(text, std::back_inserter(clean), [](char c) {
    return std::string_view(" \t\r\n_,").find(c) == std::string_view::npos;
  });
  if (!clean.empty() && std::ranges::all_of(clean, is_digit)) return digits_ns(clean);
  const size_t sign = clean.find_first_of("+-");
  if (sign == std::string::npos) return now_ns;
  const int64_t offset = offset_ns(std::string_view(clean).substr(sign + 1));
  return add_saturating(now_ns, clean[sign] == '-' ? -offset : offset);
}

}  // namespace hearth::api
