#pragma once

#include <cstdint>
#include <vector>

#include "hearth/profile.h"

/// Repairs of decoded profiles that are rare: they rewrite columns of the batch and count what they
/// did in `repairs`.
namespace hearth::formats {

/// Removes frames that name no usable location: those at or above locations.size(), and those whose
/// `unusable` entry is not 0
/// (`unusable` may be empty). A sample keeps its other frames; one that loses all of them is
/// dropped. Lines whose function is kNone go too. Pyroscope drops
/// the whole sample; its other frames are true all the same (docs/write_pipeline.md).
void drop_unusable_frames(ProfileBatch& batch, const std::vector<uint8_t>& unusable);

/// Stacks of more than `depth_max` frames keep the leaf side: depth_max − 1 frames under one frame
/// `[truncated]`. 0: no limit.
void cut_deep_stacks(ProfileBatch& batch, size_t depth_max);

}  // namespace hearth::formats
