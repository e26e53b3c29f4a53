#pragma once

#include <atomic>
#include <cstdint>

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
  /// An object that is listed as live is not there: deleted by another process, or lost.
  bool gone = false;
};

/// The head's datasets and the opened segments of one look at the contents, without what is
/// deleted. Segments that cannot be read are named in `partial`; damaged ones are counted.
[[nodiscard]] OpenedView open_view(const Contents& contents, SegmentReaders& readers,
                                   DeletionLog& deletions, const Tenant& tenant,
                                   const Store::ViewQuery& query,
                                   std::atomic<uint64_t>& corrupt_objects);

}  // namespace hearth::storage
