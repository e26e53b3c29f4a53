#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/clock.h"
#include "hearth/object_store.h"

namespace hearth::storage {

/// What rebuild_index() found and made.
struct RebuiltIndex {
  uint64_t number = 0;     ///< Of the newest snapshot, now.
  bool published = false;  ///< False: it could be read and misses nothing; nothing was changed.
  uint64_t kept = 0;       ///< Merged segments that it names.
  uint64_t fresh = 0;      ///< Fresh segments that it has not absorbed.
  uint64_t replaced = 0;   ///< Segments whose profiles are all in others: they wait to be deleted.
  uint64_t overlapping = 0;  ///< Profiles of segments that others hold in part: counted twice.
  std::vector<std::string> damaged;  ///< Objects that are no segments; left alone.
};

/// Makes a new newest snapshot from the segments alone, where the newest one is lost, damaged or
/// names what is not there; always, with `force`. Which segments are live is decided by their
/// profiles: day segments first, then hours, then fresh ones, newer before older; one of whose
/// profiles each is in those before it, or deleted, has been replaced. What the newest readable
/// snapshot says is absorbed or deleted stays so. Deletes nothing, and is safe beside running
/// processes: it commits as a compaction does. Memory: about 40 bytes a profile.
[[nodiscard]] Result<RebuiltIndex> rebuild_index(ObjectStore& bucket, Random& random,
                                                 const Clock& clock,
                                                 const std::string& writer_version, bool force);

}  // namespace hearth::storage
