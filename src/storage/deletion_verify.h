#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/deletion.h"

namespace hearth::storage {

/// What the objects of a bucket still hold of what a deletion deletes.
struct DeletionProof {
  struct Left {
    uint64_t profiles = 0, objects = 0;
  };
  Deletion deletion;
  Left live;     ///< In segments that the newest snapshot, or no snapshot yet, has.
  Left waiting;  ///< In objects that no reader needs any more, and that are not removed yet.
  [[nodiscard]] bool gone() const { return live.objects == 0 && waiting.objects == 0; }
};

struct DeletionReport {
  std::vector<DeletionProof> proofs;  ///< One per deletion that the bucket lists.
  std::vector<std::string> findings;  ///< What could not be read, and therefore not be proven.
};
/// Looks through every segment object of the bucket, live or not, that a deletion may touch. What
/// is not sealed yet is not in the bucket. Changes nothing.
[[nodiscard]] Result<DeletionReport> verify_deletions(ObjectStore& bucket);

}  // namespace hearth::storage
