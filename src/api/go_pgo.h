#pragma once

#include <cstdint>

#include "formats/stack_tree.h"
#include "hearth/profile.h"

namespace hearth::api {

/// Shapes a merged profile for profile-guided optimisation of Go: of every
/// stack the `keep_locations` locations at the leaf stay (0: all); with `aggregate_callees` the
/// line of the leaf is cleared, so that variants of one callee merge.
void shape_for_go_pgo(ProfileBatch& batch, formats::StackTree& stacks, uint32_t keep_locations,
                      bool aggregate_callees);

}  // namespace hearth::api
