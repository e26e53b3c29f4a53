#include "cli/inspect.h"

#include <iostream>

#include "base/file_system.h"
#include "cli/command.h"
#include "server/units.h"
#include "storage/file_object.h"
#include "storage/segment_inspect.h"

namespace hearth::cli {
namespace {

Result<std::string> inspect_text(const InspectOptions& options) {
  HEARTH_ASSIGN_OR_RETURN(const auto object,
                          storage::FileObject::open(posix_file_system(), options.path));
  HEARTH_ASSIGN_OR_RETURN(const auto tables,
                          storage::inspect_segment(*object, {options.section, options.dataset}));
  return options.format == "json" ? storage::format_json(tables) : storage::format_text(tables);
}

}  // namespace

int run_inspect(const InspectOptions& options, std::ostream& out, std::ostream& err) {
  if (options.format != "text" && options.format != "json") {
    err << "inspect: --format is \"" << options.format << "\"; want text or json\n";
    return kUsage;
  }
  const auto text = inspect_text(options);
  if (!text) {
    err << "inspect " << options.path << ": " << text.error().message << "\n";
    return text.error().code == ErrorCode::invalid_argument ? kUsage : kFailed;
  }
  out << *text;
  return kOk;
}

int inspect_command(const Arguments& arguments) {
  InspectOptions options;
  const std::vector<server::Flag> flags = {
      text_flag("section", "NAME", options.section,
                "STR, FUNC, MAP, LOC, EDGE, TREE, CLASS, KEYS, LBL, PROF, BLKS or ROWS\n"
                "(default: the directory)."),
      {.name = "dataset",
       .value_name = "N",
       .help = "Only this dataset (default: all).",
       .set = [&options](const std::string& value) -> Status {
         HEARTH_ASSIGN_OR_RETURN(options.dataset, server::parse_count(value, UINT32_MAX));
         return {};
       }},
      text_flag("format", "FORMAT", options.format, "text (default) or json."),
  };
  const server::CommandText text = {
      "hearth inspect [FLAGS] SEGMENT",
      "Prints the directory of a segment file, or one section of it.\n"};
  Arguments paths;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, paths, exit_code)) return exit_code;
  if (paths.size() != 1) {
    print_error("inspect: want one segment file");
    return kUsage;
  }
  options.path = paths[0];
  return run_inspect(options, std::cout, std::cerr);
}

}  // namespace hearth::cli
