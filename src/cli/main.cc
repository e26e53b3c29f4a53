// The map of the program: one line per subcommand, one file per subcommand beside this one.
#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "cli/command.h"
#include "server/units.h"

namespace hearth::cli {
namespace {

constexpr Command kCommands[] = {
    {"serve", "Store profiles and answer queries: API and web page on one port", serve_command},
    {"push", "Send profile files to a server", push_command},
    {"query", "Ask a server for a merged profile: text, folded, pprof or JSON", query_command},
    {"delete", "Delete profiles on a server", delete_command},
    {"inspect", "Show what a segment file holds", inspect_command},
    {"verify", "Check segment files, a bucket or a data directory", verify_command},
    {"rebuild-index", "Make a new list of segments from a bucket's segments",
     rebuild_index_command},
    {"demo", "Start a server with invented data", demo_command},
    {"version", "Print version and commit", version_command},
    {"docs", "Print generated documentation", docs_command, true},
};

std::string overview() {
  std::string out =
      "hearth stores continuous profiles and shows them.\n\nUsage: hearth COMMAND [FLAGS]\n\n";
  for (const Command& command : kCommands) {
    if (!command.hidden) out += fmt::format("  {:<14}{}\n", command.name, command.summary);
  }
  out +=
      "\nhearth COMMAND --help describes a command. Without configuration `hearth serve` listens "
      "on\n"
      "127.0.0.1:4040 and stores in ./hearth-data.\n"
      "Exit codes: 0 success, 1 the command failed, 2 the command line is wrong.\n";
  return out;
}

int unknown_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
  const std::string guess = server::nearest(name, names);
  print_error(fmt::format("unknown command \"{}\"{}\n{}", name,
                          guess.empty() ? "" : fmt::format("; did you mean {}?", guess),
                          "hearth --help lists the commands"));
  return kUsage;
}

int run(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    fmt::print(words.empty() ? stderr : stdout, "{}", overview());
    return words.empty() ? kUsage : kOk;
  }
  if (words[0] == "--version") return version_command({});
  for (const Command& command : kCommands) {
    if (command.name == words[0]) return command.run({words.begin() + 1, words.end()});
  }
  return unknown_command(words[0]);
}

}  // namespace
}  // namespace hearth::cli

int main(int argc, char** argv) {
  try {
    return hearth::cli::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    hearth::cli::print_error(fmt::format("unexpected failure: {}", e.what()));
    return hearth::cli::kFailed;
  }
}
