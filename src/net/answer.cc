#include "net/answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <iterator>
#include <utility>

#include "base/gzip_codec.h"

namespace hearth::net {
namespace {

using std::string_view;

string_view trim(string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// Calls `each(item)` for the trimmed items of a separated list.
template <class Each>
void for_each_item(string_view list, char separator, Each each) {
  while (!list.empty()) {
    const size_t end = list.find(separator);
    each(trim(list.substr(0, end)));
    list.remove_prefix(end == string_view::npos ? list.size() : end + 1);
  }
}

// Whether the parameters after a coding name ("q=0", "q=0.5") leave it usable.
bool has_weight(string_view parameters) {
  bool usable = true;
  for_each_item(parameters, ';', [&](string_view parameter) {
    if (parameter.size() < 3 || (parameter[0] != 'q' && parameter[0] != 'Q')) return;
    const string_view digits = trim(parameter.substr(parameter.find('=') + 1));
    usable = digits.find_first_not_of("0.") != string_view::npos;
  });
  return usable;
}

bool is_compressible(string_view media_type) {
  if (media_type.starts_with("text/")) return true;
  return std::ranges::any_of(
      std::initializer_list<string_view>{"json", "proto", "javascript", "xml", "octet-stream"},
      [&](string_view part) { return media_type.find(part) != string_view::npos; });
}

bool is_token(string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_';
  });
}

bool is_framing(string_view name) {
  return std::ranges::any_of(
      std::initializer_list<string_view>{"Content-Length", "Connection", "Transfer-Encoding",
                                         "Date", "Keep-Alive"},
      [&](string_view own) { return equal_ignoring_case(name, own); });
}

void append_field(std::string& head, string_view name, string_view value) {
  head += name;
  head += ": ";
  for (const char c : value) head += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  head += "\r\n";
}

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string http_date(int64_t wall_ns) {
  constexpr string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = static_cast<std::time_t>(wall_ns / 1'000'000'000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return fmt::format("{}, {:02d} {} {:04d} {:02d}:{:02d}:{:02d} GMT", kDays[tm.tm_wday], tm.tm_mday,
                     kMonths[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

}  // namespace

string_view status_text(int status) {
  constexpr std::pair<int, string_view> kTexts[] = {
      {100, "Continue"},
      {200, "OK"},
      {201, "Created"},
      {202, "Accepted"},
      {204, "No Content"},
      {206, "Partial Content"},
      {301, "Moved Permanently"},
      {302, "Found"},
      {303, "See Other"},
      {304, "Not Modified"},
      {307, "Temporary Redirect"},
      {308, "Permanent Redirect"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {405, "Method Not Allowed"},
      {406, "Not Acceptable"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {412, "Precondition Failed"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {415, "Unsupported Media Type"},
      {416, "Range Not Satisfiable"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {499, "Client Closed Request"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
      {507, "Insufficient Storage"},
  };
  for (const auto& [code, text] : kTexts) {
    if (code == status) return text;
  }
  return "Status";
}

bool accepts_encoding(string_view accept_encoding, string_view coding) {
  int named = -1;
  int any = -1;
  for_each_item(accept_encoding, ',', [&](string_view item) {
    const size_t semicolon = item.find(';');
    const string_view name = trim(item.substr(0, semicolon));
    const bool usable = semicolon == string_view::npos || has_weight(item.substr(semicolon + 1));
    if (equal_ignoring_case(name, coding)) named = usable ? 1 : 0;
    if (name == "*") any = usable ? 1 : 0;
  });
  return named >= 0 ? named == 1 : any == 1;
}

void compress_answer(const Request& request, size_t min_bytes, Response& response) {
  if (response.no_compression || response.body.size() < min_bytes ||
      response.headers.has("Content-Encoding") ||
      !is_compressible(response.headers.get("Content-Type"))) {
    return;
  }
  response.headers.add("Vary", "Accept-Encoding");
  if (!accepts_encoding(request.headers.get("Accept-Encoding"), "gzip")) return;
  std::string packed = gzip_compress(response.body, 1);
  if (packed.size() >= response.body.size()) return;
  response.body = std::move(packed);
  response.headers.add("Content-Encoding", "gzip");
}

bool status_has_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string request_id_text(uint64_t id) {
  return fmt::format("{:016x}", id);
}

std::string encode_head(const Response& response, const HeadOptions& options) {
  std::string head;
  head.reserve(512);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status,
                 status_text(response.status));
  for (const auto& [name, value] : response.headers.fields()) {
    if (is_token(name) && !is_framing(name)) append_field(head, name, value);
  }
  if (options.wall_ns != 0) append_field(head, "Date", http_date(options.wall_ns));
  append_field(head, "X-Request-Id", request_id_text(options.request_id));
  if (options.close) append_field(head, "Connection", "close");
  if (status_has_body(response.status)) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
  }
  head += "\r\n";
  return head;
}

}  // namespace hearth::net
