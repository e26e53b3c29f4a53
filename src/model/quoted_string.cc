#include "model/quoted_string.h"

#include <cstdint>

namespace hearth {
namespace {

void append_utf8(std::string& out, uint32_t rune) {
  const auto byte = [&out](uint32_t b) { out += static_cast<char>(b); };
  if (rune < 0x80) {
    byte(rune);
  } else if (rune < 0x800) {
    byte(0xC0 | rune >> 6);
    byte(0x80 | (rune & 0x3F));
  } else if (rune < 0x10000) {
    byte(0xE0 | rune >> 12);
    byte(0x80 | (rune >> 6 & 0x3F));
    byte(0x80 | (rune & 0x3F));
  } else {
    byte(0xF0 | rune >> 18);
    byte(0x80 | (rune >> 12 & 0x3F));
    byte(0x80 | (rune >> 6 & 0x3F));
    byte(0x80 | (rune & 0x3F));
  }
}

int digit_of(char c, uint32_t base) {
  int v = -1;
  if (c >= '0' && c <= '9') v = c - '0';
  if (c >= 'a' && c <= 'f') v = c - 'a' + 10;
  if (c >= 'A' && c <= 'F') v = c - 'A' + 10;
  return v < static_cast<int>(base) ? v : -1;
}

// Reads exactly `count` digits at *pos; false when there are fewer.
bool read_digits(std::string_view text, size_t* pos, size_t count, uint32_t base, uint32_t* value) {
  *value = 0;
  for (size_t i = 0; i < count; ++i, ++*pos) {
    const int digit = *pos < text.size() ? digit_of(text[*pos], base) : -1;
    if (digit < 0) return false;
    *value = *value * base + static_cast<uint32_t>(digit);
  }
  return true;
}

bool is_scalar(uint32_t rune) {
  return rune <= 0x10FFFF && (rune < 0xD800 || rune > 0xDFFF);
}

// \xHH and \OOO are one byte, \uXXXX and \UXXXXXXXX one code point.
bool append_numeric(std::string_view text, size_t* pos, std::string& out) {
  const char kind = text[*pos];
  uint32_t value = 0;
  if (kind >= '0' && kind <= '7') {
    if (!read_digits(text, pos, 3, 8, &value) || value > 0xFF) return false;
    out += static_cast<char>(value);
    return true;
  }
  ++*pos;
  if (kind == 'x') {
    if (!read_digits(text, pos, 2, 16, &value)) return false;
    out += static_cast<char>(value);
    return true;
  }
  if (!read_digits(text, pos, kind == 'u' ? 4 : 8, 16, &value) || !is_scalar(value)) return false;
  append_utf8(out, value);
  return true;
}

// *pos is behind the backslash. A quote may be escaped only inside its own kind, as in Go.
bool append_escape(std::string_view text, size_t* pos, char quote, std::string& out) {
  if (*pos >= text.size()) return false;
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kValues = "\a\b\f\n\r\t\v\\";
  const char c = text[*pos];
  if (const size_t at = kLetters.find(c); at != std::string_view::npos || c == quote) {
    out += c == quote ? quote : kValues[at];
    ++*pos;
    return true;
  }
  if (c == 'x' || c == 'u' || c == 'U' || (c >= '0' && c <= '7'))
    return append_numeric(text, pos, out);
  return false;
}

}  // namespace

Result<std::string> read_quoted(std::string_view text, size_t* used) {
  *used = 0;
  const char quote = text.empty() ? '\0' : text.front();
  if (quote != '"' && quote != '\'' && quote != '`')
    return fail(ErrorCode::invalid_argument, "want a quoted string");
  std::string out;
  for (size_t pos = 1; pos < text.size();) {
    const char c = text[pos];
    if (c == quote) {
      *used = pos + 1;
      return out;
    }
    *used = pos;
    if (c == '\n' && quote != '`')
      return fail(ErrorCode::invalid_argument, "line feed in a quoted string");
    ++pos;
    if (c != '\\' || quote == '`') {
      out += c;
    } else if (!append_escape(text, &pos, quote, out)) {
      return fail(ErrorCode::invalid_argument, "unknown escape in a quoted string");
    }
  }
  *used = text.size();
  return fail(ErrorCode::invalid_argument, "quoted string does not end");
}

}  // namespace hearth
