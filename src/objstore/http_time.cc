#include "objstore/http_time.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <limits>

namespace hearth::objstore {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

// strftime and strptime name days and months in the C locale, which the process never leaves.
std::optional<int64_t> parse(std::string_view text, const char* format, std::string& rest) {
  const std::string copy(text);
  std::tm utc{};
  const char* end = ::strptime(copy.c_str(), format, &utc);
  if (end == nullptr) return std::nullopt;
  rest = end;
  const int64_t seconds = ::timegm(&utc);
  // Nanoseconds of int64 end in the year 2262.
  if (seconds < 0 || seconds >= std::numeric_limits<int64_t>::max() / kSecond) return std::nullopt;
  return seconds * kSecond;
}

std::tm utc_of(int64_t wall_ns) {
  const std::time_t seconds = wall_ns / kSecond;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return utc;
}

}  // namespace

std::optional<int64_t> parse_http_date(std::string_view text) {
  std::string rest;
  const auto time = parse(text, "%a, %d %b %Y %H:%M:%S GMT", rest);
  return rest.empty() ? time : std::nullopt;
}

std::optional<int64_t> parse_iso_time(std::string_view text) {
  std::string rest;
  const auto time = parse(text, "%Y-%m-%dT%H:%M:%S", rest);
  if (!time || rest.empty() || rest.back() != 'Z') return std::nullopt;
  if (rest == "Z") return time;
  if (rest.front() != '.') return std::nullopt;
  rest.insert(0, "0");
  char* end = nullptr;
  const double fraction = std::strtod(rest.c_str(), &end);
  if (std::string_view(end) != "Z" || fraction < 0 || fraction >= 1) return std::nullopt;
  return *time + static_cast<int64_t>(fraction * static_cast<double>(kSecond));
}

std::string http_date(int64_t wall_ns) {
  const std::tm utc = utc_of(wall_ns);
  std::array<char, 64> text{};
  const size_t n = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), n};
}

std::string iso_time(int64_t wall_ns) {
  const std::tm utc = utc_of(wall_ns);
  std::array<char, 64> text{};
  const size_t n = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", std::string_view(text.data(), n), wall_ns % kSecond / 1'000'000);
}

}  // namespace hearth::objstore
