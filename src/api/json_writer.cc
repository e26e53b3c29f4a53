#include "api/json_writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/decimal.h"
#include "base/utf8.h"

namespace hearth::api {
namespace {

bool is_plain(unsigned char c) {
  return c >= 0x20 && c != '"' && c != '\\';
}

void append_escaped(std::string& out, unsigned char c) {
  static constexpr char kHex[] = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHex[c >> 4U];
      out += kHex[c & 15U];
  }
}

template <class T>
void append_chars(std::string& out, T v) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
  out.append(buffer, end);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  if (!is_utf8(text)) return append_json_string(out, to_valid_utf8(text));
  out += '"';
  size_t begin = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (is_plain(c)) continue;
    out.append(text, begin, i - begin);
    append_escaped(out, c);
    begin = i + 1;
  }
  out.append(text, begin);
  out += '"';
}

void append_json_number(std::string& out, int64_t v) {
  char buffer[kDecimalBytes];
  out.append(buffer, write_decimal(buffer, v));
}

void append_json_number(std::string& out, double v) {
  if (!std::isfinite(v)) {
    out += "null";
  } else {
    append_chars(out, v);
  }
}

// A flame graph has tens of thousands of these: they are written where they stay.
void append_quoted_numbers(std::string& out, std::span<const int64_t> numbers) {
  constexpr size_t kStep = 256;
  std::array<char, kStep*(kDecimalBytes + 3)> text;  // Two quotes and a comma.
  for (size_t begin = 0; begin < numbers.size(); begin += kStep) {
    const auto step = numbers.subspan(begin, std::min(kStep, numbers.size() - begin));
    char* to = text.data();
    for (const int64_t number : step) {
      *to++ = '"';
      to = write_decimal(to, number);
      *to++ = '"';
      *to++ = ',';
    }
    const bool is_last = begin + kStep >= numbers.size();
    out.append(text.data(), to - (is_last ? 1 : 0));
  }
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  append_json_string(out_, name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(int64_t v) {
  separate();
  append_json_number(out_, v);
  return *this;
}

JsonWriter& JsonWriter::value(uint64_t v) {
  separate();
  append_chars(out_, v);
  return *this;
}

JsonWriter& JsonWriter::value(double v) {
  separate();
  append_json_number(out_, v);
  return *this;
}

JsonWriter& JsonWriter::value(bool v) {
  return raw(v ? "true" : "false");
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

}  // namespace hearth::api
