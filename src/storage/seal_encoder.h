#pragma once

#include <string>

#include "base/result.h"
#include "storage/dataset.h"
#include "storage/head_generation.h"
#include "storage/segment_catalog.h"
#include "storage/segment_writer.h"

namespace hearth::storage {

struct EncodedSegment {
  std::string bytes;
  SegmentEntry entry;
};

/// Writes the verified groups of a frozen generation as one segment. One dataset's rows are
/// unpacked at a time. `options` needs key, uuid and version; level and window are set here (L0,
/// the range of start times). `data_loss` when symbols cannot be read.
[[nodiscard]] Result<EncodedSegment> encode_segment(const HeadGeneration& generation,
                                                    SegmentWriter::Options options);

}  // namespace hearth::storage
