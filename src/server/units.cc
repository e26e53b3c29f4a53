#include "server/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

namespace hearth::server {
namespace {

using std::string_view;

struct Unit {
  string_view name;
  uint64_t factor;
};
constexpr Unit kByteUnits[] = {{"TiB", 1ULL << 40},
                               {"GiB", 1ULL << 30},
                               {"MiB", 1ULL << 20},
                               {"KiB", 1ULL << 10},
                               {"TB", 1000ULL * 1000 * 1000 * 1000},
                               {"GB", 1000'000'000},
                               {"MB", 1000'000},
                               {"KB", 1000},
                               {"B", 1}};
constexpr Unit kTimeUnits[] = {{"ns", 1},
                               {"us", 1000},
                               {"ms", 1000'000},
                               {"s", 1000'000'000},
                               {"m", 60'000'000'000},
                               {"h", 3600'000'000'000},
                               {"d", 86'400'000'000'000},
                               {"w", 604'800'000'000'000}};

// Takes a decimal number from the front of `text`; nullopt-like -1 when there is none.
double take_number(string_view& text) {
  double value = -1;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || value < 0) return -1;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

template <size_t N>
uint64_t factor_of(const Unit (&units)[N], string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return 0;
}

auto refuse(string_view text, string_view want) {
  return fail(ErrorCode::invalid_argument, fmt::format("got \"{}\"; want {}", text, want));
}

size_t edit_distance(string_view a, string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t swapped = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({swapped, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

Result<uint64_t> parse_bytes(string_view text) {
  constexpr string_view kWant = "a size such as 32MiB, 64KB or 4096";
  string_view rest = text;
  const double number = take_number(rest);
  const uint64_t factor = rest.empty() ? 1 : factor_of(kByteUnits, rest);
  const double bytes = number * static_cast<double>(factor);
  if (number < 0 || factor == 0 || bytes > 9e18) return refuse(text, kWant);
  return static_cast<uint64_t>(bytes);
}

std::string format_bytes(uint64_t bytes) {
  for (const Unit& unit : kByteUnits) {
    if (unit.factor % 1024 == 0 && bytes >= unit.factor && bytes % unit.factor == 0) {
      return fmt::format("{}{}", bytes / unit.factor, unit.name);
    }
  }
  return std::to_string(bytes);
}

Result<int64_t> parse_duration_ns(string_view text) {
  constexpr string_view kWant = "a duration such as 60s, 250ms, 1h30m, 7d or 0";
  if (text == "0") return 0;
  string_view rest = text;
  double total = 0;
  while (!rest.empty()) {
    const double number = take_number(rest);
    const size_t end = std::min(rest.find_first_of("0123456789."), rest.size());
    const uint64_t factor = factor_of(kTimeUnits, rest.substr(0, end));
    if (number < 0 || factor == 0) return refuse(text, kWant);
    total += number * static_cast<double>(factor);
    rest.remove_prefix(end);
  }
  if (text.empty() || total > 9e18) return refuse(text, kWant);
  return std::llround(total);
}

std::string format_duration_ns(int64_t ns) {
  if (ns == 0) return "0";
  // Up to two units are easier to read than 5400s, but 90s is not worse than 1m30s.
  for (const string_view name : {"d", "h", "m", "s", "ms", "us"}) {
    const auto factor = static_cast<int64_t>(factor_of(kTimeUnits, name));
    if (ns % factor == 0) return fmt::format("{}{}", ns / factor, name);
  }
  return fmt::format("{}ns", ns);
}

Result<bool> parse_bool(string_view text) {
  for (const string_view yes : {"true", "yes", "on", "1"}) {
    if (text == yes) return true;
  }
  for (const string_view no : {"false", "no", "off", "0"}) {
    if (text == no) return false;
  }
  return refuse(text, "true or false");
}

Result<uint64_t> parse_count(string_view text, uint64_t max) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > max) {
    return refuse(text, fmt::format("a number from 0 to {}", max));
  }
  return value;
}

std::string nearest(string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = edit_distance(name, candidate);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = candidate;
  }
  return best;
}

}  // namespace hearth::server
