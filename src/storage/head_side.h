#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hearth/profile.h"
#include "storage/head_rows.h"
#include "storage/side_data.h"

namespace hearth::storage {

/// Turns the side data of samples into that of rows; keeps its scratch space.
class HeadSideCollector {
 public:
  /// The arguments are those of RowCollector::collect(), `rows` is what that made of them. `out`
  /// becomes the table of this one profile; samples without a row leave nothing.
  void collect(const ProfileBatch& batch, std::span<const uint32_t> samples,
               std::span<const uint32_t> sample_keys, const Rows& rows, SideTable& out);

 private:
  SideSorter sorter_;
  std::vector<SideEntry> entries_;
  std::vector<int64_t> values_;
};

}  // namespace hearth::storage
