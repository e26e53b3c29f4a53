#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace hearth::server {

/// One flag of a command line: `--name VALUE`, `--name=VALUE`, or a switch `--name`.
struct Flag {
  std::string name;             ///< Without dashes.
  std::string value_name = {};  ///< For the help text; empty: a switch, whose value is "true".
  std::string help;
  std::function<Status(const std::string& value)>
      set;  ///< Called in command-line order, once per use.
  bool repeatable = false;
};

/// What a command says about itself.
struct CommandText {
  std::string usage;        ///< "hearth push [FLAGS] FILE…"
  std::string description;  ///< Ends in a newline.
  std::string epilog = {};  ///< After the flags: examples, exit codes.
};

struct ParsedFlags {
  bool help = false;  ///< --help or -h was given: nothing was set.
  std::vector<std::string> positional;
};

/// Errors are `invalid_argument` and name the flag; an unknown flag is one, with the nearest known
/// flag.
/// "-" is positional; everything after "--" is, too.
[[nodiscard]] Result<ParsedFlags> parse_flags(std::span<const Flag> flags,
                                              const std::vector<std::string>& arguments);

/// The text of --help.
std::string help_text(const CommandText& command, std::span<const Flag> flags);

}  // namespace hearth::server
