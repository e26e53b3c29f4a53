#pragma once

#include <string>

#include "formats/pprof_decoder.h"
#include "support/catch.h"
#include "support/pprof_builder.h"

namespace hearth::formats {

/// A profile with the sample type cpu:nanoseconds, to be filled.
inline test::PprofBuilder cpu() {
  return test::PprofBuilder().sample_type("cpu", "nanoseconds");
}

/// Decodes; what is not refused is a valid batch.
inline Status decode(const std::string& body, ProfileBatch& batch,
                     const DecodeLimits& limits = {}) {
  Status status = decode_pprof_copy(body, limits, batch);
  if (status) REQUIRE(batch.validate());
  return status;
}

}  // namespace hearth::formats
