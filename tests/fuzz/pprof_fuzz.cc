// Any bytes: the decoder refuses them or makes a valid batch, which survives a round trip through
// the encoder. The batch that is used again must equal a fresh one.

#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "formats/pprof_decoder.h"
#include "formats/pprof_encoder.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace hearth;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  // The first byte picks limits and repairs, so that these paths are reached with small inputs.
  formats::DecodeLimits limits;
  if (size > 0 && (data[0] & 0x80U) != 0)
    limits = {.stack_depth_max = 3, .string_max_bytes = 5, .dotnet_repairs = true};
  const std::string_view body = limits.dotnet_repairs ? bytes.substr(1) : bytes;

  static ProfileBatch reused;
  ProfileBatch fresh;
  const bool ok = formats::decode_pprof_copy(body, limits, fresh).has_value();
  HEARTH_CHECK(formats::decode_pprof_copy(body, limits, reused).has_value() == ok,
               "a reused batch decides alike");
  if (!ok) return 0;
  HEARTH_CHECK(fresh.validate().has_value(), "a decoded batch is valid");
  const std::string encoded = formats::encode_pprof(fresh);
  HEARTH_CHECK(formats::encode_pprof(reused) == encoded, "a reused batch holds the same");
  ProfileBatch again;
  HEARTH_CHECK(formats::decode_pprof_copy(encoded, {}, again).has_value(), "what we write we read");
  HEARTH_CHECK(
      again.samples.values == fresh.samples.values && again.samples.frames == fresh.samples.frames,
      "samples survive");
  HEARTH_CHECK(formats::encode_pprof(again) == encoded, "writing is stable");
  return 0;
}
