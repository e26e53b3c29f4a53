#pragma once

#include "storage/compaction.h"
#include "storage/store.h"

namespace hearth::storage {

/// What a store's options say of compaction, for every kind of store: one that keeps a catalog adds
/// how it is written and which fresh segments are its own. Without that there is no catalog to
/// keep, and the next start reads the bucket again. Borrowed things outlive the result.
[[nodiscard]] Compaction::Options compaction_options(const Store::Options& options,
                                                     Contents& contents, SegmentReaders& readers,
                                                     DeletionLog& deletions);

}  // namespace hearth::storage
