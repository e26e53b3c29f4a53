#pragma once

#include "base/random.h"
#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/segment_directory.h"

/// What reader, verify and inspect share of a whole segment.
namespace hearth::storage {

/// Read at once from the end: tail and, nearly always, the whole directory.
inline constexpr uint64_t kSegmentEndBytes = 64U << 10U;

/// Tail, directory and, where it comes with the same read, the header. `data_loss` when they are
/// damaged, `unimplemented` for another major version.
[[nodiscard]] Result<SegmentDirectory> read_segment_directory(const ObjectReader& object);

/// Dataset::symbols_id() of a dataset of a segment.
[[nodiscard]] Id128 dataset_symbols_id(Id128 uuid, size_t index);

}  // namespace hearth::storage
