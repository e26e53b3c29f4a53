#pragma once

#include "hearth/profile.h"
#include "hearth/profile_type.h"

namespace hearth::api {

/// Fills in what Pyroscope says about a merged profile (pyroscope-api.md 9.6): type names, default
/// sample type, period by the name of the type, end of the range as time. A batch without sample
/// types stays completely empty.
void finish_merged_profile(ProfileBatch& batch, const ProfileType& type, int64_t end_ns);

}  // namespace hearth::api
