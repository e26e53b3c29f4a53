#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "storage/dataset.h"

namespace hearth::storage {

/// All that is known of a profile but its rows and its id, which day segments do not have.
struct ProfileContent {
  std::string_view tenant;
  std::string_view family;  ///< encode_family().
  std::string_view series;  ///< LabelSet::encode().
  int64_t start_ns = 0, duration_ns = 0, period = 0;
  uint32_t rows = 0;
  std::span<const int64_t> totals;

  /// Stands for an id: equal for equal contents, else different for all purposes.
  [[nodiscard]] Id128 hash() const;
};

/// The contents of a dataset's profiles, in their order.
[[nodiscard]] Result<std::vector<Id128>> contents_of(const DatasetInfo& info,
                                                     std::span<const LabelSet> series,
                                                     const ProfileColumns& columns);

}  // namespace hearth::storage
