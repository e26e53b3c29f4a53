// Any bytes as folded text in both layouts: refused, or a valid batch whose folded form reads back
// as itself.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "formats/folded_writer.h"
#include "formats/text_decoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  formats::DecodeLimits limits;
  limits.stack_depth_max = 64;
  for (const auto layout : {formats::TextLayout::groups, formats::TextLayout::lines}) {
    ProfileBatch batch;
    if (!formats::decode_text(text, layout, {}, limits, batch)) continue;
    HEARTH_CHECK(batch.validate().has_value(), "a decoded batch is valid");
    const std::string folded = formats::write_folded(batch, 0);
    ProfileBatch again;
    HEARTH_CHECK(
        formats::decode_text(folded, formats::TextLayout::groups, {}, limits, again).has_value(),
        "what we write we read");
    HEARTH_CHECK(formats::write_folded(again, 0) == folded, "writing is stable");
  }
  return 0;
}
