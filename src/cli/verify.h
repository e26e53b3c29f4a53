#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "objstore/s3_options.h"

namespace hearth::cli {

/// `hearth verify PATH…`: each path is a segment file, a bucket directory or a data directory. In a
/// directory every file that begins as a segment is verified, and its name must end with the object
/// key stored inside. s3://bucket/prefix is a bucket, too, read with `s3`.
struct VerifyOptions {
  std::vector<std::string> paths;
  objstore::S3Options s3 = {};
};
/// Prints one line per finding and a summary. The exit code: 0, 1 when something is wrong, 2
/// without paths.
int run_verify(const VerifyOptions& options, std::ostream& out, std::ostream& err);

}  // namespace hearth::cli
