#include "base/log.h"

#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <mutex>

namespace hearth::log {
namespace {

std::atomic<Level> g_level = Level::info;
std::atomic<bool> g_json = false;
std::mutex g_sink_mutex;
std::function<void(Level, std::string_view)> g_sink;

const char* name(Level level) {
  constexpr const char* kNames[] = {"debug", "info", "warn", "error"};
  return kNames[static_cast<size_t>(level)];
}

// Quotes `text` as a JSON string; logfmt uses the same form for values that need quotes.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\' || c == 0x7f) return false;
  }
  return true;
}

void append_pair(std::string& line, std::string_view key, std::string_view value, bool json) {
  if (json) {
    line += line.size() > 1 ? "," : "";
    append_quoted(line, key);
    line += ':';
    append_quoted(line, value);
    return;
  }
  if (!line.empty()) line += ' ';
  line += key;
  line += '=';
  if (is_plain(value)) {
    line += value;
  } else {
    append_quoted(line, value);
  }
}

std::string timestamp() {
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto ms = now.time_since_epoch().count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  return fmt::format("{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}.{:03d}Z", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                     tm.tm_hour, tm.tm_min, tm.tm_sec, ms % 1000);
}

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("hearth", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

}  // namespace

bool enabled(Level level) {
  return level >= g_level.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
  if (!enabled(level)) return;
  const bool json = g_json.load(std::memory_order_relaxed);
  std::string line(json ? "{" : "");
  append_pair(line, "ts", timestamp(), json);
  append_pair(line, "level", name(level), json);
  append_pair(line, "msg", message, json);
  for (const Field& field : fields) append_pair(line, field.key, field.value, json);
  if (json) line += '}';
  {
    const std::lock_guard lock(g_sink_mutex);
    if (g_sink) {
      g_sink(level, line);
      return;
    }
  }
  logger().log(spdlog::level::info, spdlog::string_view_t(line));
}

void set_level(Level level) { g_level = level; }

bool set_level(std::string_view text) {
  for (const Level level : {Level::debug, Level::info, Level::warn, Level::error}) {
    if (text == name(level)) {
      set_level(level);
      return true;
    }
  }
  return false;
}

void set_json(bool json) { g_json = json; }

void set_sink(std::function<void(Level, std::string_view)> sink) {
  const std::lock_guard lock(g_sink_mutex);
  g_sink = std::move(sink);
}

}  // namespace hearth::log
