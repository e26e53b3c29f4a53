#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "objstore/credentials.h"

namespace hearth::objstore {

/// How to reach a bucket.
struct S3Options {
  std::string bucket;
  std::string prefix;    ///< Of every key, without '/' at its ends; empty: none.
  std::string endpoint;  ///< "https://host[:port]"; empty: AWS in `region`.
  std::string region;    ///< Empty: AWS_REGION, AWS_DEFAULT_REGION, else us-east-1.
  /// "true": /bucket/key at the endpoint; "false": bucket.host/key; "auto": the first with an
  /// endpoint of one's own, the second at AWS.
  std::string path_style = "auto";
  std::string ca_file;  ///< Certificates to trust instead of the system's.
  CredentialOptions credentials;
  int64_t timeout_ns = 5'000'000'000;  ///< Of one try, plus a second for each MiB it moves.
  int64_t patience = 6;  ///< All tries of an operation last as long as this many that time out.
  size_t connections_max = 32;
  /// Larger objects go up in parts of `part_bytes`, when nothing depends on their being absent.
  uint64_t parts_from_bytes = 64ULL << 20;
  uint64_t part_bytes = 16ULL << 20;
};

/// "s3://bucket/some/prefix" → bucket and prefix of `out`. `invalid_argument` for anything else.
[[nodiscard]] Status parse_s3_location(const std::string& location, S3Options& out);
/// True for what names a bucket rather than a directory.
bool is_s3_location(const std::string& location);

/// Where requests go: derived from the options, checked once.
struct S3Address {
  std::string origin;     ///< "https://host[:port]", of the bucket.
  std::string host;       ///< As in the Host header.
  std::string base_path;  ///< "/bucket" or "".
  std::string region;
};
[[nodiscard]] Result<S3Address> s3_address(const S3Options& options, const Variables& variables);

}  // namespace hearth::objstore
