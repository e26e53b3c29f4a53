#pragma once

#include <memory>
#include <span>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "storage/deletion_log.h"

namespace hearth::storage {

/// What is left of a dataset: itself when nothing of it is deleted, nullptr when everything is,
/// else one that shows deleted profiles with totals of 0 and has no rollup. Reads series and
/// profiles when deletions may touch it; with `log` it remembers what need not be read again, which
/// is right for datasets that never change. What the result keeps is charged to `memory`;
/// `unavailable` when that has no room.
[[nodiscard]] Result<std::shared_ptr<const Dataset>> without_deleted(
    std::shared_ptr<const Dataset> dataset, std::span<const Deletion> deletions, DeletionLog* log,
    MemoryAccountant& memory);
/// What that will read of the dataset begins to be fetched.
void prefetch_for_deletions(const Dataset& dataset, std::span<const Deletion> deletions,
                            const DeletionLog& log);

/// The deletions that delete something of a dataset that never changes.
[[nodiscard]] Result<std::vector<const Deletion*>> deletions_of(const Dataset& dataset,
                                                                std::span<const Deletion> deletions,
                                                                DeletionLog& log);

}  // namespace hearth::storage
