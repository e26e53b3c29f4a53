#pragma once

#include <deque>
#include <memory>
#include <string>

#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/segment_dataset.h"
#include "storage/segment_directory.h"

namespace hearth::storage {

/// A segment opened to be read through once, by verify and compaction: its datasets with all that
/// their sections hold. Keeps nothing decoded. Not copied or moved: datasets refer to it.
class OpenSegment {
 public:
  /// `data_loss` when it is damaged or not the object `expected_key` (empty: not compared).
  [[nodiscard]] static Result<std::unique_ptr<OpenSegment>> open(
      std::unique_ptr<ObjectReader> object, const std::string& expected_key);
  OpenSegment(const OpenSegment&) = delete;
  OpenSegment& operator=(const OpenSegment&) = delete;

  [[nodiscard]] const SegmentDirectory& directory() const { return directory_; }
  [[nodiscard]] size_t datasets() const { return datasets_.size(); }
  [[nodiscard]] const SegmentDataset& dataset(size_t index) const { return datasets_[index]; }

 private:
  OpenSegment(std::unique_ptr<ObjectReader> object, SegmentDirectory directory);
  std::unique_ptr<ObjectReader> object_;
  SegmentDirectory directory_;
  CacheBudget budget_{0};
  std::deque<SegmentDataset> datasets_;
};

}  // namespace hearth::storage
