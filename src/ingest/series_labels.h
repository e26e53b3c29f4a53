#pragma once

#include <vector>

#include "base/result.h"
#include "hearth/labels.h"
#include "ingest/limits.h"

namespace hearth::ingest {

/// Makes stored series labels of the labels of one group: built-in relabel rules, default service
/// name, control labels gone, session labels hashed, labels that the query derives gone; then the
/// checks of check_labels(). `labels` are in any order, an empty value is an absent label.
/// The rules: docs/write_pipeline.md, "Labels".
[[nodiscard]] Result<LabelSet> series_labels(std::vector<Label> labels, const Limits& limits);

}  // namespace hearth::ingest
