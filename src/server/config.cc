#include "server/config.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "server/units.h"

namespace hearth::server {
namespace {

using std::string_view;

constexpr string_view kPrefix = "HEARTH_";
/// Variables of this prefix that are read elsewhere.
constexpr string_view kForeign[] = {"HEARTH_CONFIG", "HEARTH_URL"};

/// A value and where it was said, for messages.
struct Said {
  std::string value;
  std::string place;
};
using Resolved = std::vector<std::optional<Said>>;  // parallel to settings()

std::string normal_name(string_view name) {
  std::string out(name);
  std::ranges::replace(out, '_', '-');
  return out;
}

std::optional<size_t> find_setting(string_view name) {
  const std::string wanted = normal_name(name);
  for (size_t i = 0; i < settings().size(); ++i) {
    const Setting& setting = settings()[i];
    if (setting.name == wanted || (!setting.alias.empty() && setting.alias == wanted)) return i;
  }
  return std::nullopt;
}

auto unknown(string_view place, string_view key, const std::string& guess) {
  return fail(ErrorCode::invalid_argument,
              fmt::format("{}: unknown setting \"{}\"{}", place, key,
                          guess.empty() ? "" : fmt::format("; did you mean {}?", guess)));
}

string_view trim(string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// Takes quotes off: `listen: "0.0.0.0:4040"`.
string_view unquote(string_view text) {
  const bool quoted =
      text.size() >= 2 && (text[0] == '"' || text[0] == '\'') && text.back() == text.front();
  return quoted ? text.substr(1, text.size() - 2) : text;
}

// A comment starts the line or follows a blank.
string_view without_comment(string_view line) {
  for (size_t at = line.find('#'); at != string_view::npos; at = line.find('#', at + 1)) {
    if (at == 0 || line[at - 1] == ' ' || line[at - 1] == '\t') return line.substr(0, at);
  }
  return line;
}

std::vector<std::string> setting_names() {
  std::vector<std::string> names;
  for (const Setting& setting : settings()) names.push_back(setting.name);
  return names;
}

Status read_line(string_view raw, const std::string& place, Resolved& resolved) {
  const string_view line = trim(without_comment(raw));
  if (line.empty()) return {};
  const size_t mark = line.find_first_of(":=");
  if (mark == string_view::npos) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("{}: got \"{}\"; want `key: value`", place, line));
  }
  const string_view key = trim(line.substr(0, mark));
  const auto index = find_setting(key);
  if (!index) return unknown(place, key, nearest(normal_name(key), setting_names()));
  resolved[*index] = Said{std::string(unquote(trim(line.substr(mark + 1)))), place};
  return {};
}

Status read_file(const ConfigSources& sources, Resolved& resolved) {
  string_view rest = sources.file_text;
  for (size_t number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    HEARTH_RETURN_IF_ERROR(
        read_line(rest.substr(0, end), fmt::format("{}:{}", sources.file_name, number), resolved));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

Status read_environment(const Environment& environment, Resolved& resolved) {
  std::vector<std::string> names;
  for (const Setting& setting : settings()) names.push_back(setting.environment());
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kPrefix) || std::ranges::find(kForeign, name) != std::end(kForeign)) {
      continue;
    }
    const auto it = std::ranges::find(names, name);
    if (it != names.end()) {
      resolved[static_cast<size_t>(it - names.begin())] = Said{value, name};
      continue;
    }
    const std::string guess = nearest(name.substr(kPrefix.size()), [&] {
      std::vector<std::string> stems;
      for (const std::string& known : names) stems.push_back(known.substr(kPrefix.size()));
      return stems;
    }());
    if (!guess.empty()) return unknown("environment", name, std::string(kPrefix) + guess);
  }
  return {};
}

Status read_flags(const ConfigSources& sources, Resolved& resolved) {
  for (const auto& [name, value] : sources.flags) {
    const auto index = find_setting(name);
    if (!index) return unknown("flags", name, nearest(name, setting_names()));
    resolved[*index] = Said{value, "--" + name};
  }
  return {};
}

}  // namespace

std::string Setting::environment() const {
  std::string out(kPrefix);
  for (const char c : name) {
    out += c == '.' || c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  }
  return out;
}

Environment process_environment() {
  Environment out;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const string_view text = *entry;
    if (!text.starts_with(kPrefix)) continue;
    const size_t equals = std::min(text.find('='), text.size());
    out.emplace_back(text.substr(0, equals), text.substr(std::min(equals + 1, text.size())));
  }
  return out;
}

Result<Config> load_config(const ConfigSources& sources) {
  Resolved resolved(settings().size());
  HEARTH_RETURN_IF_ERROR(read_file(sources, resolved));
  HEARTH_RETURN_IF_ERROR(read_environment(sources.environment, resolved));
  HEARTH_RETURN_IF_ERROR(read_flags(sources, resolved));
  Config config;
  for (size_t i = 0; i < resolved.size(); ++i) {
    if (!resolved[i]) continue;
    if (const Status done = settings()[i].set(config, resolved[i]->value); !done) {
      return fail(ErrorCode::invalid_argument,
                  fmt::format("{}: {}", resolved[i]->place, done.error().message));
    }
  }
  return config;
}

Result<std::pair<std::string, uint16_t>> parse_listen(const std::string& text) {
  const size_t colon = text.rfind(':');
  const bool inside_brackets =
      colon != std::string::npos && text.find(']', colon) != std::string::npos;
  std::string host = colon == std::string::npos ? "" : text.substr(0, colon);
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto number = parse_count(port, 65535);
  if (!number || inside_brackets) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("got \"{}\"; want host:port, [v6]:port or :port", text));
  }
  return std::pair(host.empty() ? std::string("0.0.0.0") : host, static_cast<uint16_t>(*number));
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

std::string config_text(const Config& config) {
  std::string out;
  for (const Setting& setting : settings()) {
    out += fmt::format("{}: {}\n", setting.name, setting.get(config));
  }
  return out;
}

std::string flags_markdown() {
  std::string out =
      "# Settings of `hearth serve`\n\n"
      "This page is printed by `hearth docs flags`; a test compares the two.\n\n"
      "A setting is a flag (`--seal.interval 30s`), an environment variable "
      "(`HEARTH_SEAL_INTERVAL=30s`) or a line of the file\n"
      "that `--config FILE` or `HEARTH_CONFIG` names (`seal.interval: 30s`; `#` starts a comment). "
      "Flags win over the environment, the\n"
      "environment over the file. Unknown settings are errors. `hearth serve --check-config` "
      "prints what is in\n"
      "force and exits; `hearth serve --healthcheck` asks the configured address for `/ready` and "
      "exits with 0 or 1.\n\n"
      "Sizes: `32MiB`, `64KB`, `4096`. Durations: `250ms`, `60s`, `1h30m`, `7d`. A `limits` value "
      "of 0 "
      "is off.\n\n"
      "| flag | environment | default | meaning |\n| --- | --- | --- | --- |\n";
  const Config defaults;
  for (const Setting& setting : settings()) {
    const std::string value = setting.get(defaults);
    std::string kind = setting.value;
    for (size_t at = 0; (at = kind.find('|', at)) != std::string::npos; at += 2)
      kind.insert(at, "\\");
    out += fmt::format("| `--{}` {} | `{}` | {} | {}{} |\n", setting.name, kind,
                       setting.environment(), value.empty() ? "" : "`" + value + "`", setting.help,
                       setting.alias.empty() ? "" : fmt::format(" Also `--{}`.", setting.alias));
  }
  return out;
}

}  // namespace hearth::server
