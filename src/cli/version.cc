#include "hearth/version.h"

#include <fmt/format.h>

#include <cstdio>

#include "cli/command.h"
#include "server/config.h"

namespace hearth::cli {

int version_command(const Arguments& arguments) {
  const server::CommandText text{.usage = "hearth version",
                                 .description = "Prints the version and the commit.\n",
                                 .epilog = ""};
  Arguments positional;
  int exit_code = kOk;
  if (!parse_command(text, {}, arguments, positional, exit_code)) return exit_code;
  if (!positional.empty()) {
    print_error("version takes no arguments");
    return kUsage;
  }
  fmt::print("hearth {} ({})\n", version(), revision());
  return kOk;
}

int docs_command(const Arguments& arguments) {
  if (arguments.size() != 1 || arguments[0] != "flags") {
    print_error("usage: hearth docs flags");
    return kUsage;
  }
  fmt::print("{}", server::flags_markdown());
  return kOk;
}

}  // namespace hearth::cli
