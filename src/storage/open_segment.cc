#include "storage/open_segment.h"

#include <fmt/format.h>

#include "storage/segment_file.h"

namespace hearth::storage {

OpenSegment::OpenSegment(std::unique_ptr<ObjectReader> object, SegmentDirectory directory)
    : object_(std::move(object)), directory_(std::move(directory)) {
  for (size_t i = 0; i < directory_.datasets.size(); ++i) {
    datasets_.emplace_back(*object_, directory_.datasets[i], directory_.label_bloom,
                           dataset_symbols_id(directory_.uuid, i), budget_,
                           fmt::format("segment {} dataset {}", directory_.object_key, i));
  }
}

Result<std::unique_ptr<OpenSegment>> OpenSegment::open(std::unique_ptr<ObjectReader> object,
                                                       const std::string& expected_key) {
  HEARTH_ASSIGN_OR_RETURN(SegmentDirectory directory, read_segment_directory(*object));
  if (!expected_key.empty() && directory.object_key != expected_key) {
    return fail(ErrorCode::data_loss, fmt::format("open segment {}: it was written as {}",
                                                  expected_key, directory.object_key));
  }
  return std::unique_ptr<OpenSegment>(new OpenSegment(std::move(object), std::move(directory)));
}

}  // namespace hearth::storage
