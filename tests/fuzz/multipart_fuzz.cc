// The first line is the content type, the rest the body: refused, or parts within the limits that
// lie inside the body.

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "formats/multipart.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t line_end = std::min(input.find('\n'), input.size());
  const std::string_view body = input.substr(std::min(line_end + 1, input.size()));
  const auto parts = formats::parse_multipart(input.substr(0, line_end), body);
  if (!parts) return 0;
  HEARTH_CHECK(parts->size() <= formats::kMultipartPartsMax, "parts are limited");
  for (const formats::MultipartPart& part : *parts) {
    HEARTH_CHECK(!part.name.empty() && part.name.size() <= formats::kMultipartHeadersMax,
                 "a part has a name");
    const bool inside =
        part.body.empty() || (part.body.data() >= body.data() &&
                              part.body.data() + part.body.size() <= body.data() + body.size());
    HEARTH_CHECK(inside, "a part lies in the body");
  }
  return 0;
}
