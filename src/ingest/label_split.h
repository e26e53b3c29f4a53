#pragma once

#include <cstdint>
#include <vector>

#include "hearth/labels.h"
#include "hearth/profile.h"

namespace hearth::ingest {

/// Samples of one profile with the same string labels.
struct LabelGroup {
  std::vector<Label> labels;  ///< That become series labels; span and trace ids are not among them.
  std::vector<uint32_t> samples;  ///< Ascending.
};

/// Groups the samples by their string labels and leaves only those labels on the samples that
/// belong to a row's key: Go heap's numeric `bytes`. Dropped numeric labels and span, trace and
/// profile ids are counted in `repairs`.
///
/// Returns at most `groups_max` + 1 groups (0: no limit): one more than allowed tells the caller to
/// refuse the profile. Groups are in order of their first sample. One pass; allocates per group,
/// not per sample. Source: pyroscope-api.md 6.4, D5.
[[nodiscard]] std::vector<LabelGroup> split_by_labels(ProfileBatch& batch, size_t groups_max);

}  // namespace hearth::ingest
