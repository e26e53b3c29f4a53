#pragma once

#include <string>
#include <vector>

#include "hearth/object_store.h"

namespace hearth::storage {

/// Compares the newest snapshot of a bucket with the objects: every segment that it names is there,
/// of that size and uuid, and is not marked for deletion. Findings as text; empty when all is well.
/// Reads directories, not rows; changes nothing.
[[nodiscard]] std::vector<std::string> verify_bucket(ObjectStore& bucket);

}  // namespace hearth::storage
