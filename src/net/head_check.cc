#include "net/head_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "net/http.h"

namespace hearth::net {
namespace {

using std::string_view;

HeadVerdict bad(string_view message) {
  return {400, fmt::format("request head: {}", message)};
}

// RFC 9110, 5.6.2. Every byte of every head's names is looked up.
constexpr std::array<bool, 256> token_chars() {
  std::array<bool, 256> is{};
  for (char c = '0'; c <= '9'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (char c = 'a'; c <= 'z'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (char c = 'A'; c <= 'Z'; ++c) is[static_cast<unsigned char>(c)] = true;
  for (const char c : string_view("!#$%&'*+-.^_`|~")) is[static_cast<unsigned char>(c)] = true;
  return is;
}

bool is_token_char(char c) {
  static constexpr std::array<bool, 256> kIs = token_chars();
  return kIs[static_cast<unsigned char>(c)];
}

bool is_token(string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

// Visible characters, bytes of UTF-8 and, inside values, blank and tab.
bool is_text(string_view text, bool blanks) {
  return std::ranges::all_of(text, [blanks](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte > 0x20 && byte != 0x7f) || (blanks && (c == ' ' || c == '\t'));
  });
}

string_view trim(string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Takes the next line, without its CRLF, from `rest`. False when the line end is not exactly CRLF.
bool take_line(string_view& rest, string_view& line) {
  const size_t end = rest.find('\n');
  if (end == string_view::npos || end == 0 || rest.find('\r') != end - 1) return false;
  line = rest.substr(0, end - 1);
  rest.remove_prefix(end + 1);
  return true;
}

// Fields that decide where a message ends and whom it is for.
struct Framing {
  bool http_1_0 = false;
  size_t fields = 0;
  size_t hosts = 0;
  size_t lengths = 0;
  size_t codings = 0;
};

HeadVerdict check_request_line(string_view line, const HeadLimits& limits, Framing& framing) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == string_view::npos || first == last) {
    return bad("want a request line of method, target and version");
  }
  const string_view target = line.substr(first + 1, last - first - 1);
  const string_view version = line.substr(last + 1);
  if (!is_token(line.substr(0, first)) || first > 32) return bad("malformed method");
  if (target.empty() || !is_text(target, false)) return bad("malformed target");
  if (target.size() > limits.target_max_bytes) {
    return {414, fmt::format("request target of {} bytes; the limit is {}", target.size(),
                             limits.target_max_bytes)};
  }
  if (version == "HTTP/1.1") return {};
  framing.http_1_0 = version == "HTTP/1.0";
  if (framing.http_1_0) return {};
  if (version.starts_with("HTTP/") && version.size() == 8) {
    return {505, "want HTTP/1.1 or HTTP/1.0"};
  }
  return bad("malformed version");
}

HeadVerdict check_field(string_view line, Framing& framing) {
  if (line.front() == ' ' || line.front() == '\t') return bad("folded header line");
  const size_t colon = line.find(':');
  if (colon == string_view::npos) return bad("header line without a colon");
  const string_view name = line.substr(0, colon);
  const string_view value = trim(line.substr(colon + 1));
  if (!is_token(name)) return bad("malformed header name");
  if (!is_text(value, true)) return bad("control character in a header value");
  ++framing.fields;
  if (equal_ignoring_case(name, "Host")) ++framing.hosts;
  if (equal_ignoring_case(name, "Content-Length")) {
    ++framing.lengths;
    const bool digits = std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
    if (value.empty() || value.size() > 18 || !digits) return bad("malformed Content-Length");
  }
  if (equal_ignoring_case(name, "Transfer-Encoding")) {
    ++framing.codings;
    if (!equal_ignoring_case(value, "chunked")) {
      return bad("Transfer-Encoding must be exactly \"chunked\"");
    }
  }
  return {};
}

HeadVerdict check_framing(const Framing& framing) {
  if (framing.lengths > 1) return bad("more than one Content-Length");
  if (framing.codings > 1) return bad("more than one Transfer-Encoding");
  if (framing.lengths + framing.codings > 1) {
    return bad("Content-Length and Transfer-Encoding together");
  }
  if (framing.codings > 0 && framing.http_1_0) return bad("Transfer-Encoding under HTTP/1.0");
  if (framing.hosts > 1) return bad("more than one Host");
  if (framing.hosts == 0 && !framing.http_1_0) return bad("Host is missing");
  return {};
}

HeadVerdict too_large(const HeadLimits& limits) {
  return {431,
          fmt::format("request head is larger than the limit of {} bytes", limits.head_max_bytes)};
}

}  // namespace

HeadVerdict check_head(string_view head, const HeadLimits& limits) {
  if (head.size() > limits.head_max_bytes) return too_large(limits);
  Framing framing;
  string_view line;
  if (!take_line(head, line)) return bad("line does not end in CRLF");
  HeadVerdict verdict = check_request_line(line, limits, framing);
  while (verdict.status == 0) {
    if (!take_line(head, line)) return bad("line does not end in CRLF");
    if (line.empty()) break;
    verdict = check_field(line, framing);
    if (verdict.status == 0 && framing.fields > limits.fields_max) {
      return {431, fmt::format("more than {} header fields", limits.fields_max)};
    }
  }
  if (verdict.status != 0) return verdict;
  return head.empty() ? check_framing(framing) : bad("bytes behind the empty line");
}

HeadVerdict check_partial_head(string_view received, const HeadLimits& limits) {
  const size_t line_end = received.find('\n');
  // A bare LF would otherwise let us wait for an end of head that the sender thinks it has sent.
  for (size_t i = line_end; i != string_view::npos; i = received.find('\n', i + 1)) {
    if (i == 0 || received[i - 1] != '\r') return bad("line does not end in CRLF");
  }
  // Method, two blanks and the version come on top of the target.
  if (line_end == string_view::npos && received.size() > limits.target_max_bytes + 64) {
    return {414, fmt::format("request target is larger than the limit of {} bytes",
                             limits.target_max_bytes)};
  }
  if (received.size() >= limits.head_max_bytes) return too_large(limits);
  return {};
}

}  // namespace hearth::net
