#include "storage/rebuild_index.h"

#include <fmt/format.h>

#include "base/random.h"
#include "cli/bucket_argument.h"
#include "cli/command.h"
#include "hearth/clock.h"
#include "hearth/version.h"

namespace hearth::cli {
namespace {

Result<storage::RebuiltIndex> rebuild(const std::string& location,
                                      const server::ConfigSources& sources, bool force) {
  HEARTH_ASSIGN_OR_RETURN(const objstore::S3Options s3, s3_options(sources));
  HEARTH_ASSIGN_OR_RETURN(const auto bucket, open_bucket_argument(location, s3, false));
  return storage::rebuild_index(*bucket->store(), system_random(), system_clock(),
                                fmt::format("hearth {} rebuild-index", version()), force);
}

void print(const storage::RebuiltIndex& index) {
  for (const std::string& key : index.damaged) fmt::print(stderr, "{}: damaged, left alone\n", key);
  if (!index.published) {
    fmt::print("snapshot {} is whole: nothing to do (--force makes a new one)\n", index.number);
    return;
  }
  fmt::print("snapshot {}: {} merged segments, {} fresh ones, {} replaced, {} damaged\n",
             index.number, index.kept, index.fresh, index.replaced, index.damaged.size());
  if (index.overlapping > 0) {
    fmt::print(
        "{} profiles are in two segments of which neither holds all of the other; they count "
        "twice until they are merged\n",
        index.overlapping);
  }
}

}  // namespace

int rebuild_index_command(const Arguments& arguments) {
  const server::CommandText text = {
      .usage = "hearth rebuild-index [FLAGS] BUCKET|DATA|s3://BUCKET/PREFIX",
      .description =
          "Makes a new list of segments (a snapshot) from the segments alone, when the newest one "
          "is\n"
          "lost, damaged or names what is not there. Servers follow it at their next look or "
          "start;\n"
          "nothing is deleted.\n"};
  server::ConfigSources sources;
  bool force = false;
  std::vector<server::Flag> flags = s3_flags(sources);
  flags.push_back({.name = "force",
                   .help = "Also when the newest snapshot is whole.",
                   .set = [&force](const std::string&) -> Status {
                     force = true;
                     return {};
                   }});
  Arguments paths;
  int exit_code = kOk;
  if (!parse_command(text, flags, arguments, paths, exit_code)) return exit_code;
  if (paths.size() != 1) {
    print_error("rebuild-index: want one bucket or data directory");
    return kUsage;
  }
  const auto index = rebuild(paths[0], sources, force);
  if (!index) {
    print_error(fmt::format("rebuild-index {}: {}", paths[0], index.error().message));
    return kFailed;
  }
  print(*index);
  return index->damaged.empty() ? kOk : kFailed;
}

}  // namespace hearth::cli
