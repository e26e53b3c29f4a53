#include "net/target.h"

#include <fmt/format.h>

namespace hearth::net {
namespace {

constexpr size_t kQueryPairsMax = 1000;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that `text` escapes at `i`, or -1.
int escaped_byte(std::string_view text, size_t i) {
  if (text.size() - i < 3 || text[i] != '%') return -1;
  const int high = hex_digit(text[i + 1]);
  const int low = hex_digit(text[i + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Result<std::string> decode_path(std::string_view raw) {
  std::string path;
  path.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] != '%') {
      path += raw[i];
      continue;
    }
    const int byte = escaped_byte(raw, i);
    if (byte <= 0) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("request path: malformed percent escape at byte {}", i));
    }
    path += static_cast<char>(byte);
    i += 2;
  }
  return path;
}

std::string decode_query(std::string_view raw) {
  std::string text;
  text.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    const int byte = escaped_byte(raw, i);
    if (byte >= 0) {
      text += static_cast<char>(byte);
      i += 2;
    } else {
      text += raw[i] == '+' ? ' ' : raw[i];
    }
  }
  return text;
}

// Removes scheme and authority of the absolute form.
std::string_view origin_form(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const size_t end = target.find_first_of("/?", scheme.size());
    return end == std::string_view::npos ? "/" : target.substr(end);
  }
  return target;
}

}  // namespace

Result<Target> parse_target(std::string_view raw) {
  const std::string_view target = origin_form(raw);
  if (target.empty() || target[0] != '/') {
    return fail(ErrorCode::invalid_argument, "request target: want a path that starts with '/'");
  }
  const size_t mark = target.find('?');
  Target out;
  HEARTH_ASSIGN_OR_RETURN(out.path, decode_path(target.substr(0, mark)));
  std::string_view rest =
      mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (pair.empty()) continue;
    if (out.query.size() == kQueryPairsMax) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("request target: more than {} query parameters", kQueryPairsMax));
    }
    const size_t equals = pair.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    out.query.emplace_back(decode_query(pair.substr(0, equals)), decode_query(value));
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kUnreserved =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string out;
  for (const char c : text) {
    if (kUnreserved.find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

}  // namespace hearth::net
