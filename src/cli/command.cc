#include "cli/command.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

namespace hearth::cli {

void print_error(std::string_view message) {
  fmt::print(stderr, "hearth: {}\n", message);
}

bool parse_command(const server::CommandText& text, std::span<const server::Flag> flags,
                   const Arguments& arguments, Arguments& positional, int& exit_code) {
  auto parsed = server::parse_flags(flags, arguments);
  if (!parsed) {
    print_error(fmt::format("{}\nusage: {}", parsed.error().message, text.usage));
    exit_code = kUsage;
    return false;
  }
  if (parsed->help) {
    fmt::print("{}", server::help_text(text, flags));
    exit_code = kOk;
    return false;
  }
  positional = std::move(parsed->positional);
  return true;
}

server::Flag text_flag(std::string name, std::string value_name, std::string& field,
                       std::string help) {
  return {.name = std::move(name),
          .value_name = std::move(value_name),
          .help = std::move(help),
          .set = [&field](const std::string& value) -> Status {
            field = value;
            return {};
          }};
}

std::string default_url() {
  const char* url = std::getenv("HEARTH_URL");
  return url != nullptr && *url != '\0' ? url : "http://127.0.0.1:4040";
}

server::Flag url_flag(std::string& field) {
  server::Flag flag = text_flag("url", "URL", field,
                                "Address of the server (default: $HEARTH_URL or\n"
                                "http://127.0.0.1:4040).");
  flag.set = [&field](const std::string& value) -> Status {
    field = value;
    while (field.ends_with('/')) field.pop_back();
    return {};
  };
  return flag;
}

}  // namespace hearth::cli
