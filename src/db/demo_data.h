#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/cancel.h"
#include "base/result.h"
#include "db/database.h"
#include "hearth/tenant.h"

namespace hearth::demo {

/// What `hearth demo`, the page's "Load demo data" and the browser tests write: three services ×
/// three regions, four profile kinds, two versions; version 2.4.1 arrives for the last third and
/// brings a planted +66 % cost of acme.Encode in checkout.
struct Options {
  int64_t end_ns = 0;                         ///< Start time of the last profile, UTC.
  int64_t length_ns = 3 * 3'600'000'000'000;  ///< How far back.
  int64_t step_ns = 15'000'000'000;
  uint64_t seed = 1;  ///< The same seed and times give the same profiles.
  std::function<void(uint64_t done, uint64_t total)> progress;
};

/// Writes through the ordinary pipeline, one durable batch per step. Returns the number of
/// profiles. Stops at the first error; what was written stays.
[[nodiscard]] Result<uint64_t> write(Database& db, const Tenant& tenant, const Options& options,
                                     const CancelToken& cancel);

}  // namespace hearth::demo
