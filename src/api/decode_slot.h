#pragma once

#include <cstddef>
#include <string>

#include "hearth/profile.h"

namespace hearth::api {

/// Buffers for one profile, reused so that a steady stream of profiles is decoded without
/// allocating.
struct DecodeSlot {
  std::string inflated;
  ProfileBatch batch;

  [[nodiscard]] size_t memory_bytes() const { return inflated.capacity() + batch.memory_bytes(); }
};

}  // namespace hearth::api
