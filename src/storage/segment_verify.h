#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hearth/object_store.h"

namespace hearth::storage {

/// What `hearth verify` says of one segment.
struct VerifyReport {
  std::string object_key;
  uint64_t bytes = 0, datasets = 0, profiles = 0, rows = 0;
  /// One line per thing that is wrong; empty: every checksum, reference, order and sum holds, and
  /// writing the contents again would give the same bytes before compression.
  std::vector<std::string> findings;
};

/// Reads all of a segment. `expected_key` is compared with the key inside (empty: not compared).
/// Memory: one dataset.
[[nodiscard]] VerifyReport verify_segment(const ObjectReader& object,
                                          const std::string& expected_key);

}  // namespace hearth::storage
