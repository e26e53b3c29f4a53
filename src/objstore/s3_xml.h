#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/object_store.h"

/// The XML of the S3 protocol. Parsers take what comes from outside: anything malformed is
/// `data_loss`, never more.
namespace hearth::objstore {

/// The body of a refusal. All empty when the body is not one.
struct S3Refusal {
  std::string code;  ///< Such as "SlowDown".
  std::string message;
  std::string request_id;
  std::string region;  ///< Where the bucket is, when this was the wrong one.
  std::string endpoint;
};
S3Refusal parse_refusal(std::string_view body);

struct S3Page {
  std::vector<ObjectStore::Entry> entries;  ///< Keys as the store knows them, prefix included.
  bool truncated = false;
  std::string continuation;  ///< For the next request; not empty when `truncated`.
};
/// ListBucketResult of ListObjectsV2.
[[nodiscard]] Result<S3Page> parse_list(std::string_view body);

/// InitiateMultipartUploadResult → upload id.
[[nodiscard]] Result<std::string> parse_upload_id(std::string_view body);
/// Body of CompleteMultipartUpload; `etags` of the parts 1, 2, 3 …
std::string complete_upload_xml(std::span<const std::string> etags);

struct S3Upload {
  std::string key, id;
  int64_t initiated_wall_ns = 0;
};
/// ListMultipartUploadsResult, its first page.
[[nodiscard]] Result<std::vector<S3Upload>> parse_uploads(std::string_view body);

}  // namespace hearth::objstore
