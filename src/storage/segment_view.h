#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "storage/contents.h"
#include "storage/deletion_log.h"
#include "storage/segment_catalog.h"
#include "storage/store.h"

namespace hearth::storage {

/// What a query reads, and whether looking again would give more.
struct OpenedView {
  Store::View view;
  /// A segment went between the look and its opening: another one now holds its profiles.
  bool replaced = false;
  /// Segments listed as live whose objects are not there: deleted by another process, or lost.
  std::vector<std::string> gone;
  uint64_t damaged = 0;  ///< Segments that are lost or cannot be decoded.
};

/// The head's datasets and the opened segments of one look at the contents, without what is
/// deleted. Segments that cannot be read are named in `partial`. Directories of a remote bucket are
/// asked for in one wave, as is what tells whose profiles are deleted, which is charged to
/// `memory`; `unavailable` when that has no room.
[[nodiscard]] Result<OpenedView> open_view(const Contents& contents, SegmentReaders& readers,
                                           DeletionLog& deletions, MemoryAccountant& memory,
                                           const Tenant& tenant, const Store::ViewQuery& query);

/// Whether the contents, brought up to date since, list a segment that was gone no longer, so that
/// opening them anew finds its profiles. One that they still list is lost.
[[nodiscard]] bool is_outdated(const OpenedView& opened, const Contents& contents);

}  // namespace hearth::storage
