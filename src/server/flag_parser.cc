// The one file that includes CLI11: expensive to compile, and kept to what flags need.
#include "server/flag_parser.h"

#include <fmt/format.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>

#include "server/units.h"

namespace hearth::server {
namespace {

auto refuse(std::string message) {
  return fail(ErrorCode::invalid_argument, std::move(message));
}

void add_flag(CLI::App& app, const Flag& flag, std::vector<std::string>& values) {
  const std::string name = "--" + flag.name;
  CLI::Option* option = flag.value_name.empty()
                            ? app.add_flag(name, values)
                            : app.add_option(name, values)->expected(1)->allow_extra_args(false);
  option->multi_option_policy(flag.repeatable ? CLI::MultiOptionPolicy::TakeAll
                                              : CLI::MultiOptionPolicy::TakeLast);
}

// What no flag took: positional arguments, or a flag that does not exist.
Status take_rest(std::span<const Flag> flags, std::vector<std::string> rest,
                 std::vector<std::string>& positional) {
  for (std::string& argument : rest) {
    if (argument == "--") continue;
    if (argument.size() < 2 || argument[0] != '-') {
      positional.push_back(std::move(argument));
      continue;
    }
    std::vector<std::string> names;
    for (const Flag& flag : flags) names.push_back("--" + flag.name);
    const std::string name = argument.substr(0, argument.find('='));
    const std::string guess = nearest(name, names);
    return refuse(fmt::format("unknown flag {}{}", name,
                              guess.empty() ? "" : fmt::format("; did you mean {}?", guess)));
  }
  return {};
}

std::string indent(const std::string& text, size_t columns) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out.append(columns, ' ');
  }
  return out;
}

}  // namespace

Result<ParsedFlags> parse_flags(std::span<const Flag> flags,
                                const std::vector<std::string>& arguments) {
  ParsedFlags parsed;
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  app.add_flag("-h,--help", parsed.help);
  // CLI11 keeps references to the elements.
  std::vector<std::vector<std::string>> values(flags.size());
  for (size_t i = 0; i < flags.size(); ++i) add_flag(app, flags[i], values[i]);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& e) {
    return refuse(e.what());
  }
  HEARTH_RETURN_IF_ERROR(take_rest(flags, app.remaining(), parsed.positional));
  if (parsed.help) return parsed;
  for (size_t i = 0; i < flags.size(); ++i) {
    for (const std::string& value : values[i]) {
      if (const Status done = flags[i].set(value); !done) {
        return refuse(fmt::format("--{}: {}", flags[i].name, done.error().message));
      }
    }
  }
  return parsed;
}

std::string help_text(const CommandText& command, std::span<const Flag> flags) {
  std::string out = fmt::format("Usage: {}\n\n{}", command.usage, command.description);
  if (!flags.empty()) out += "\nFlags:\n";
  for (const Flag& flag : flags) {
    const std::string left =
        fmt::format("  --{}{}{}", flag.name, flag.value_name.empty() ? "" : " ", flag.value_name);
    constexpr size_t kColumn = 40;
    out += left.size() < kColumn ? fmt::format("{:<{}}", left, kColumn)
                                 : fmt::format("{}\n{:{}}", left, "", kColumn);
    out += indent(flag.help, kColumn) + "\n";
  }
  if (!command.epilog.empty()) out += "\n" + command.epilog;
  return out;
}

}  // namespace hearth::server
