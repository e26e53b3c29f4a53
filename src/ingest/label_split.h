#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"
#include "hearth/profile.h"

namespace hearth::ingest {

/// Samples of one profile with the same string labels.
struct LabelGroup {
  std::vector<Label> labels;  ///< That become series labels; span and trace ids are not among them.
  std::vector<uint32_t> samples;  ///< Ascending.
};

/// 0 switches a limit off.
struct SplitLimits {
  size_t groups_max = 0;
  size_t name_max_bytes = 0;
  size_t value_max_bytes = 0;
  size_t text_max_bytes = size_t{64} << 20U;  ///< Labels of all groups together.
};

/// Groups the samples by their string labels and leaves only those labels on the samples that
/// belong to a row's key: Go heap's numeric `bytes`. Span and trace ids become side data of their
/// samples. Dropped numeric labels and malformed ids are counted in `repairs`.
///
/// Returns at most `groups_max` + 1 groups (0: no limit): one more than allowed tells the caller to
/// refuse the profile. A sample with a label over its limit ends the pass: its group comes last, so
/// that the check of the series' labels refuses the profile in its own words. `resource_exhausted`
/// when the labels of all groups take more than `text_max_bytes`: few bytes of a profile could
/// otherwise become gigabytes of labels. Groups are in order of their first sample. One pass;
/// allocates per group, not per sample. The rules:
/// docs/write_pipeline.md, "Labels".
[[nodiscard]] Result<std::vector<LabelGroup>> split_by_labels(ProfileBatch& batch,
                                                              const SplitLimits& limits);

}  // namespace hearth::ingest
