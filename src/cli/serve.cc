#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "cli/command.h"
#include "server/config.h"
#include "server/server.h"

namespace hearth::cli {
namespace {

struct ServeOptions {
  server::ConfigSources sources;
  std::string config_file;
  bool check_config = false;
  bool healthcheck = false;
};

server::Flag switch_flag(std::string name, bool& field, std::string help) {
  return {.name = std::move(name),
          .help = std::move(help),
          .set = [&field](const std::string&) -> Status {
            field = true;
            return {};
          }};
}

std::string setting_help(const server::Setting& setting) {
  static const server::Config defaults;
  const std::string value = setting.get(defaults);
  // Help texts are sentences; lines are broken where a terminal's width ends.
  std::string out;
  size_t column = 0;
  std::string text = setting.help;
  if (!value.empty()) text += fmt::format(" (default {})", value);
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const size_t word = end - at;
    if (column + word > 60) {
      out += '\n';
      column = 0;
    } else if (column > 0) {
      out += ' ';
      ++column;
    }
    out.append(text, at, word);
    column += word;
    at = end + 1;
  }
  return out;
}

// One flag per setting, and per alias; values are kept as text: load_config() validates what wins.
std::vector<server::Flag> serve_flags(ServeOptions& options) {
  std::vector<server::Flag> flags;
  for (const server::Setting& setting : server::settings()) {
    for (const std::string& name : {setting.name, setting.alias}) {
      if (name.empty()) continue;
      flags.push_back({.name = name,
                       .value_name = setting.value == "BOOL" ? "" : setting.value,
                       .help = name == setting.alias ? "Same as --" + setting.name + "."
                                                     : setting_help(setting),
                       .set = [&options, name](const std::string& value) -> Status {
                         options.sources.flags.emplace_back(name, value);
                         return {};
                       }});
    }
  }
  flags.push_back(text_flag("config", "FILE", options.config_file,
                            "File with one `name: value` per line ($HEARTH_CONFIG)."));
  flags.push_back(switch_flag("check-config", options.check_config,
                              "Print the configuration that is in force and exit."));
  flags.push_back(switch_flag("healthcheck", options.healthcheck,
                              "Ask the configured address for /ready; exit 0 or 1."));
  return flags;
}

Status read_config_file(ServeOptions& options) {
  const char* from_environment = std::getenv("HEARTH_CONFIG");
  if (options.config_file.empty() && from_environment != nullptr)
    options.config_file = from_environment;
  if (options.config_file.empty()) return {};
  std::ifstream in(options.config_file);
  if (!in) {
    return fail(ErrorCode::invalid_argument,
                fmt::format("open configuration file {}: cannot be read", options.config_file));
  }
  options.sources.file_name = options.config_file;
  options.sources.file_text.assign(std::istreambuf_iterator<char>(in), {});
  return {};
}

Result<server::Config> load(ServeOptions& options) {
  HEARTH_RETURN_IF_ERROR(read_config_file(options));
  options.sources.environment = server::process_environment();
  return server::load_config(options.sources);
}

}  // namespace

int serve_command(const Arguments& arguments) {
  ServeOptions options;
  const std::vector<server::Flag> flags = serve_flags(options);
  const server::CommandText text{
      .usage = "hearth serve [FLAGS]",
      .description =
          "Stores profiles that agents send and answers queries, on one port: Pyroscope's API and\n"
          "the web page. Prints `listening on URL` when requests are answered.\n",
      .epilog =
          "Each flag is also an environment variable (--seal.interval: HEARTH_SEAL_INTERVAL) and "
          "a\n"
          "line of the configuration file (seal.interval: 30s). Flags win over the environment, "
          "the\n"
          "environment over the file. SIGTERM finishes running requests, then exits.\n"};
  Arguments positional;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, positional, exit_code)) return exit_code;
  if (!positional.empty()) {
    print_error(fmt::format("serve takes flags only; got \"{}\"", positional[0]));
    return kUsage;
  }
  const auto config = load(options);
  if (!config) {
    print_error(config.error().message);
    return kUsage;
  }
  if (options.check_config) {
    fmt::print("{}", server::config_text(*config));
    return kOk;
  }
  return options.healthcheck ? server::healthcheck(*config) : server::serve(*config);
}

}  // namespace hearth::cli
