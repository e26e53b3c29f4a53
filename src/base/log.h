#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

/// Structured log: a level, a constant message, key=value pairs. std-only; `log.cc` is the one file that sees spdlog.
/// Layers model, symbols, formats and query do not log: they return errors and counters.
namespace hearth::log {

enum class Level : uint8_t { debug, info, warn, error };

/// One key=value pair. Values are rendered at once; control characters are escaped when the line is written.
struct Field {
  std::string_view key;
  std::string value;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false") {}
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};

void write(Level level, std::string_view message, std::initializer_list<Field> fields);
inline void debug(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::debug, message, fields); }
inline void info(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::info, message, fields); }
inline void warn(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::warn, message, fields); }
inline void error(std::string_view message, std::initializer_list<Field> fields = {}) { write(Level::error, message, fields); }

/// False when lines of this level are dropped: on hot paths their fields need not be rendered.
[[nodiscard]] bool enabled(Level level);
/// Lines below `level` are dropped. Default: info.
void set_level(Level level);
/// "debug", "info", "warn" or "error" → true and the level is set; anything else → false.
bool set_level(std::string_view name);
/// Lines as JSON objects instead of logfmt.
void set_json(bool json);
/// Tests capture lines here; an empty function restores stderr.
void set_sink(std::function<void(Level, std::string_view line)> sink);

}  // namespace hearth::log
