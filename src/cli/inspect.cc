#include "cli/inspect.h"

#include <iostream>

#include "base/file_system.h"
#include "cli/command.h"
#include "objstore/local_store.h"
#include "server/units.h"
#include "storage/bucket_inspect.h"
#include "storage/file_object.h"
#include "storage/segment_inspect.h"

namespace hearth::cli {
namespace {

/// The bucket of a data directory, or the directory itself.
std::string bucket_in(const std::string& path) {
  return posix_file_system().list(path + "/bucket") ? path + "/bucket" : path;
}

Result<std::vector<storage::InspectTable>> tables_of(const InspectOptions& options) {
  FileSystem& files = posix_file_system();
  if (files.list(options.path)) {
    if (!options.section.empty() || options.dataset)
      return fail(ErrorCode::invalid_argument, "a bucket has no sections or datasets");
    const auto bucket = objstore::view_local_store(files, bucket_in(options.path));
    return storage::inspect_bucket(*bucket);
  }
  HEARTH_ASSIGN_OR_RETURN(const auto object, storage::FileObject::open(files, options.path));
  return storage::inspect_segment(*object, {options.section, options.dataset});
}

Result<std::string> inspect_text(const InspectOptions& options) {
  HEARTH_ASSIGN_OR_RETURN(const auto tables, tables_of(options));
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
                "ROLL, STR, FUNC, MAP, LOC, EDGE, TREE, CLASS, KEYS, HEAP, LBL, PROF, BLKS,\nROWS "
                "or SIDE "
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
      "hearth inspect [FLAGS] SEGMENT|BUCKET|DATA",
      "Prints the directory of a segment file, or one section of it; of a bucket or data "
      "directory\n"
      "its levels and live segments. Changes nothing, also beside a running server.\n"};
  Arguments paths;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, paths, exit_code)) return exit_code;
  if (paths.size() != 1) {
    print_error("inspect: want one segment file, bucket or data directory");
    return kUsage;
  }
  options.path = paths[0];
  return run_inspect(options, std::cout, std::cerr);
}

}  // namespace hearth::cli
