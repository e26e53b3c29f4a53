#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "storage/canonical_dataset.h"
#include "storage/segment_dataset.h"

namespace hearth::storage {

/// The profiles that one source gives to a merged dataset.
struct PartSource {
  const SegmentDataset* dataset = nullptr;
  const ProfileIndex* index = nullptr;
  std::vector<uint32_t> chosen;  ///< Its profiles, ascending; never empty.
  std::vector<uint32_t> place;   ///< place[i]: which profile of the merged dataset chosen[i] is.
};

/// A merged dataset that lacks symbols and rows: `profiles` and `series` are complete.
struct MergePart {
  std::vector<PartSource> sources;
  std::vector<LabelSet> series;
  ProfileTable profiles;
  bool keep_side = true;  ///< Side data goes along.
};

/// Merges symbols and rows. Rows are read to their final places with the keys of their sources; how
/// often each key occurs decides its number; then every profile is renumbered and sorted. On an
/// error of reading `failed` is the index of the source in `part`.
[[nodiscard]] Result<CanonicalDataset> merge_part(MergePart part, size_t& failed);

}  // namespace hearth::storage
