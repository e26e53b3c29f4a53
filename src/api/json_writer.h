#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hearth::api {

/// Appends `text` as a JSON string with quotes. Malformed UTF-8 becomes U+FFFD, so that any bytes
/// give valid JSON.
void append_json_string(std::string& out, std::string_view text);
void append_json_number(std::string& out, int64_t v);
/// Shortest decimal that reads back as `v`; NaN and infinities, which JSON lacks, become null.
void append_json_number(std::string& out, double v);
/// Numbers in quotes, as protojson writes 64-bit ones, commas between them.
void append_quoted_numbers(std::string& out, std::span<const int64_t> numbers);

/// Writes one JSON document front to back into a string; commas are its business, nesting the
/// caller's.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(int64_t v);
  JsonWriter& value(uint64_t v);
  JsonWriter& value(int v) { return value(static_cast<int64_t>(v)); }
  JsonWriter& value(uint32_t v) { return value(static_cast<int64_t>(v)); }
  JsonWriter& value(double v);
  JsonWriter& value(bool v);
  JsonWriter& null() { return raw("null"); }
  /// A finished JSON value.
  JsonWriter& raw(std::string_view json);
  template <class T>
  JsonWriter& field(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }
  [[nodiscard]] std::string& text() { return out_; }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  std::string out_;
  bool comma_ = false;
};

}  // namespace hearth::api
