#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "objstore/bucket.h"
#include "server/config.h"
#include "server/flag_parser.h"

namespace hearth::cli {

/// `--s3.endpoint` and the other settings of a remote bucket, as `hearth serve` has them; what is
/// given is kept in `sources`.
[[nodiscard]] std::vector<server::Flag> s3_flags(server::ConfigSources& sources);
/// The settings of `sources` and of the environment.
[[nodiscard]] Result<objstore::S3Options> s3_options(server::ConfigSources sources);

/// A data directory (then its `bucket`), a bucket directory or s3://bucket/prefix.
[[nodiscard]] Result<std::unique_ptr<objstore::Bucket>> open_bucket_argument(
    const std::string& location, const objstore::S3Options& s3, bool read_only);

}  // namespace hearth::cli
