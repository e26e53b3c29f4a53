#pragma once

#include "hearth/profile.h"

namespace hearth::ingest {

/// Removes samples of which any value is negative or all values are zero; counted in `repairs`.
void drop_unusable_samples(ProfileBatch& batch);

/// Takes frames that say nothing (no line, no address) out of the stacks. The samples stay, with an
/// empty stack if need be (docs/write_pipeline.md says why); counted as `frames_dropped`.
void drop_empty_frames(ProfileBatch& batch);

/// Addresses of frames that have names only split rows that are the same to every query: for each
/// mapping whose flag says that it has functions, its range and the addresses of its locations
/// become 0. Lines alone do not decide: upstream keeps such addresses, and names must agree.
void clear_addresses(ProfileBatch& batch);

}  // namespace hearth::ingest
