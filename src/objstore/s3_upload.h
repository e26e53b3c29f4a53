#pragma once

#include <string>
#include <string_view>

#include "objstore/s3_client.h"

namespace hearth::objstore {

/// Stores `data` at `key` (as the store knows it) in parts of `part_bytes`, four at a time. When
/// one fails the upload is aborted, so that its parts cost nothing.
[[nodiscard]] Status upload_parts(S3Client& client, const std::string& key, std::string_view data,
                                  uint64_t part_bytes);

/// Aborts uploads below `prefix` that began before `before_wall_ns`: their process is gone.
[[nodiscard]] Status abort_uploads(S3Client& client, const std::string& prefix,
                                   int64_t before_wall_ns);

}  // namespace hearth::objstore
