#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/dataset.h"

namespace hearth::storage {

/// Reads one segment through ranged reads of its object; validates everything it believes
/// (docs/segment_format.md, "Limits"). A bad section costs its dataset, a bad row block that block
/// (`data_loss` from the accessor), a bad directory the segment (`data_loss` from open). Immutable
/// and thread-safe.
class SegmentReader : public std::enable_shared_from_this<SegmentReader> {
 public:
  /// Reads header, tail and directory: one read of the last 64 KiB, a second one only for a longer
  /// directory. `expected_key` is compared with the key inside (empty: not compared).
  [[nodiscard]] static Result<std::shared_ptr<const SegmentReader>> open(
      std::unique_ptr<ObjectReader> object, const std::string& expected_key);
  virtual ~SegmentReader() = default;
  [[nodiscard]] virtual Id128 uuid() const = 0;
  [[nodiscard]] virtual const std::string& object_key() const = 0;
  [[nodiscard]] virtual uint8_t level() const = 0;
  [[nodiscard]] virtual size_t dataset_count() const = 0;
  [[nodiscard]] virtual const DatasetInfo& dataset_info(size_t index) const = 0;
  /// True once a read found that the object was removed: somebody merged the segment with others.
  [[nodiscard]] virtual bool gone() const { return false; }
  /// Cheap: reads nothing yet. The dataset keeps this reader alive.
  [[nodiscard]] virtual std::shared_ptr<const Dataset> dataset(size_t index) const = 0;
};

}  // namespace hearth::storage
