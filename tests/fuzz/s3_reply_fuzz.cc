#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "objstore/credentials.h"
#include "objstore/http_time.h"
#include "objstore/json.h"
#include "objstore/s3_options.h"
#include "objstore/s3_xml.h"

using namespace hearth;
using namespace hearth::objstore;

// Any bytes as an answer of a store or of a credentials endpoint, or as a file of keys: no crash;
// times that are accepted say the same when they are printed and read again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)parse_refusal(text);
  const auto page = parse_list(text);
  if (page && page->truncated && page->continuation.empty()) std::abort();
  (void)parse_uploads(text);
  const auto upload = parse_upload_id(text);
  if (upload && upload->empty()) std::abort();
  (void)json_strings(text);
  const auto keys = parse_credentials_file(text, "default", "file");
  if (keys && *keys && (*keys)->access_key.empty()) std::abort();
  S3Options options;
  if (parse_s3_location(std::string(text), options) && options.bucket.empty()) std::abort();
  if (const auto time = parse_http_date(text); time && parse_http_date(http_date(*time)) != time) {
    std::abort();
  }
  (void)parse_iso_time(text);
  return 0;
}
