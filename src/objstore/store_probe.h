#pragma once

#include "base/random.h"
#include "base/result.h"
#include "hearth/object_store.h"

namespace hearth::objstore {

/// What a store was seen to do. Vendors' names say little: some answer 200 to every conditional
/// put.
struct Guarantees {
  bool create_if_absent = false;  ///< Of several puts of one key that must be absent, one succeeds.
  bool fresh_reads = false;       ///< What was written is read, also after a replacement.
  bool fresh_lists = false;       ///< A new key is listed at once, in its place.
  bool ranges = false;            ///< Parts of objects are exact.
  bool removes = false;           ///< What was removed is gone.
};

/// Tries all of it with objects of its own below `probe/`, which it removes: some twenty small
/// requests, four at a time at most. Errors are those of the store, such as `unavailable`: then
/// nothing is known.
[[nodiscard]] Result<Guarantees> probe_store(ObjectStore& store, Random& random);

/// Success when a server may use the store. Without create_if_absent it may: writers' keys never
/// meet, and one process compacts. Without the others data would be missed: `unimplemented`.
[[nodiscard]] Status check_guarantees(const Guarantees& guarantees);

}  // namespace hearth::objstore
