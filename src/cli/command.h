#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/flag_parser.h"

namespace hearth::cli {

using Arguments = std::vector<std::string>;  ///< After the subcommand's name.

/// Exit codes of every command.
enum Exit : int {
  kOk = 0,
  kFailed = 1,  ///< It was tried and failed: the message says what and why.
  kUsage = 2,   ///< The command line is wrong: nothing was tried.
};

/// One subcommand. A command lives in its own file, parses its flags into a plain options struct
/// and runs.
struct Command {
  std::string_view name;
  std::string_view summary;  ///< For the list of `hearth --help`.
  int (*run)(const Arguments& arguments);
  bool hidden = false;
};

int serve_command(const Arguments& arguments);
int push_command(const Arguments& arguments);
int query_command(const Arguments& arguments);
int delete_command(const Arguments& arguments);
int inspect_command(const Arguments& arguments);
int verify_command(const Arguments& arguments);
int rebuild_index_command(const Arguments& arguments);
int demo_command(const Arguments& arguments);
int docs_command(const Arguments& arguments);
int version_command(const Arguments& arguments);

/// Parses flags; prints help or the error. Returns true when the command should run, else
/// `exit_code` is set.
bool parse_command(const server::CommandText& text, std::span<const server::Flag> flags,
                   const Arguments& arguments, Arguments& positional, int& exit_code);

/// "hearth: MESSAGE" on standard error.
void print_error(std::string_view message);

/// A flag that stores its text.
server::Flag text_flag(std::string name, std::string value_name, std::string& field,
                       std::string help);

/// `--url`: HEARTH_URL or http://127.0.0.1:4040, without a final slash.
std::string default_url();
server::Flag url_flag(std::string& field);

}  // namespace hearth::cli
