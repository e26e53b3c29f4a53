#include "cli/bucket_argument.h"

#include <fmt/format.h>

#include "base/file_system.h"
#include "base/random.h"
#include "hearth/clock.h"

namespace hearth::cli {

std::vector<server::Flag> s3_flags(server::ConfigSources& sources) {
  std::vector<server::Flag> flags;
  for (const server::Setting& setting : server::settings()) {
    if (!setting.name.starts_with("s3.")) continue;
    flags.push_back({.name = setting.name,
                     .value_name = setting.value,
                     .help = fmt::format("As of `hearth serve` ({}).", setting.environment()),
                     .set = [&sources, name = setting.name](const std::string& value) -> Status {
                       sources.flags.emplace_back(name, value);
                       return {};
                     }});
  }
  return flags;
}

Result<objstore::S3Options> s3_options(server::ConfigSources sources) {
  sources.environment = server::process_environment();
  HEARTH_ASSIGN_OR_RETURN(const server::Config config, server::load_config(sources));
  return config.database.s3;
}

Result<std::unique_ptr<objstore::Bucket>> open_bucket_argument(const std::string& location,
                                                               const objstore::S3Options& s3,
                                                               bool read_only) {
  FileSystem& files = posix_file_system();
  std::string found = location;
  if (!objstore::is_s3_location(location)) {
    if (const auto listed = files.list(location); !listed) return tl::unexpected(listed.error());
    if (files.list(location + "/bucket")) found += "/bucket";
  }
  return objstore::Bucket::open(files, system_clock(), system_random(), {found, s3, read_only});
}

}  // namespace hearth::cli
