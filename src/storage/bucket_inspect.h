#pragma once

#include <vector>

#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/segment_inspect.h"

namespace hearth::storage {

/// What a bucket holds: the newest snapshot; per level the live segments and their bytes, then what
/// is replaced and what nobody names; the live segments, one line each; and the writers with their
/// roles. Reads listings, claims and the snapshot, no segment, and changes nothing. `not_found`
/// when it holds neither snapshot nor segment.
[[nodiscard]] Result<std::vector<InspectTable>> inspect_bucket(ObjectStore& bucket);

}  // namespace hearth::storage
