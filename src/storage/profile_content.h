#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "storage/dataset.h"
#include "storage/head_record.h"

namespace hearth::storage {

/// All that is known of a profile but its rows and its id, which day segments do not have.
struct ProfileContent {
  std::string_view tenant;
  std::string_view family;  ///< encode_family().
  std::string_view series;  ///< LabelSet::encode().
  int64_t start_ns = 0, duration_ns = 0, period = 0;
  uint32_t rows = 0;
  std::span<const int64_t> totals;

  /// Equal for equal contents. Different profiles may have equal ones: rows are compared then.
  [[nodiscard]] Id128 hash() const;
};

/// Sums up the rows of one profile without their keys, which each dataset numbers anew: equal where
/// the same values stand, in any order.
class RowsHash {
 public:
  /// One row: a value per sample type.
  void add(std::span<const int64_t> values);
  /// Of the rows since the last one; together with a content it stands for an id.
  [[nodiscard]] Id128 take();

 private:
  std::vector<uint64_t> rows_;
};

/// Of the rows of a head record.
[[nodiscard]] Result<Id128> rows_of(const HeadRecord& record);
/// Of profiles of a segment's dataset, ascending. Reads all of its rows.
[[nodiscard]] Result<std::vector<Id128>> rows_of(const Dataset& dataset,
                                                 std::span<const uint32_t> profiles);

/// The contents of a dataset's profiles, in their order.
[[nodiscard]] Result<std::vector<Id128>> contents_of(const DatasetInfo& info,
                                                     std::span<const LabelSet> series,
                                                     const ProfileColumns& columns);

}  // namespace hearth::storage
