#pragma once

#include <cstdint>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"
#include "storage/canonical_symbols.h"
#include "storage/profile_section.h"
#include "storage/segment_writer.h"

namespace hearth::storage {

/// A dataset as its sections store it: canonical symbols, profiles sorted by (series, start, id),
/// rows sorted by key. Shape: rows of profile p follow those of p − 1, profiles.rows[p] of them;
/// row_values[t] is as long as row_key.
struct CanonicalDataset {
  CanonicalSymbols symbols;  ///< Classes chosen, key_* columns filled.
  std::vector<LabelSet> series;
  ProfileTable profiles;
  std::vector<uint32_t> row_key;
  std::vector<std::vector<int64_t>> row_values;
  SideTable side;        ///< Of all profiles, or without counts when none has any.
  bool go_heap = false;  ///< is_go_heap() of the family.
};

/// Equal contents in another numbering and order give an equal result. Rows of one profile whose
/// keys turn out equal are added up. `internal` for input that contradicts itself, `too_large` for
/// a profile of more than 2^20 rows.
[[nodiscard]] Result<CanonicalDataset> canonicalise(const DatasetInput& input);

}  // namespace hearth::storage
