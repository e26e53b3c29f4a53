#pragma once

#include <string>

#include "base/result.h"
#include "storage/segment_dataset.h"
#include "storage/segment_inspect.h"

namespace hearth::storage {

/// One section of a dataset as a table. `invalid_argument` for a name that is none.
[[nodiscard]] Result<InspectTable> inspect_section(const SegmentDataset& dataset,
                                                   const std::string& section);

/// The paths of a rollup's tree with every group's values.
[[nodiscard]] InspectTable inspect_rollup(const DatasetInfo& info, const Rollup& rollup);

}  // namespace hearth::storage
