#pragma once

#include <cstdint>
#include <map>
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
  std::map<std::string, uint64_t> left_out;  ///< Profiles that cannot be written, by tenant.
};

/// Writes the verified groups of a frozen generation as one segment. One dataset's rows are
/// unpacked at a time. A group beyond the limits of a dataset becomes several. `options` needs key,
/// uuid and version; level and window are set here (L0, the range of start times). `data_loss` when
/// symbols cannot be read.
[[nodiscard]] Result<EncodedSegment> encode_segment(const HeadGeneration& generation,
                                                    SegmentWriter::Options options);

}  // namespace hearth::storage
