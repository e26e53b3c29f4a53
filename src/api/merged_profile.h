#pragma once

#include <cstdint>
#include <string>

#include "formats/stack_tree.h"
#include "hearth/profile.h"
#include "hearth/profile_type.h"

namespace hearth::api {

/// Merges what lies below the cut: of the tree of locations the `max_nodes` largest nodes stay and
/// the first node below each; what is deeper becomes one frame `other`. 0: nothing is cut.
void cut_merged_profile(ProfileBatch& batch, formats::StackTree& stacks, int64_t max_nodes);

/// pprof bytes of a merged profile as Pyroscope words it: type names, default sample type, period
/// by the name of the type, end of the range as time, a mapping for every location, no samples
/// without frames. A batch without sample types is no bytes at all.
std::string encode_merged_profile(ProfileBatch& batch, const formats::StackTree& stacks,
                                  const ProfileType& type, int64_t end_ns);

}  // namespace hearth::api
