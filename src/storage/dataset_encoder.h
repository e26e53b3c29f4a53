#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "storage/block_section.h"
#include "storage/canonical_dataset.h"
#include "storage/segment_format.h"

namespace hearth::storage {

struct RawSection {
  SectionKind kind{};
  std::string bytes;
};

/// STR … KEYS, LBL and PROF before compression, in file order.
[[nodiscard]] Result<std::vector<RawSection>> encode_sections(const CanonicalDataset& dataset);

/// ROWS, compressed block by block, and what BLKS says of the blocks.
struct EncodedRows {
  std::vector<RowBlockInfo> blocks;
  std::string stored;
};
[[nodiscard]] Result<EncodedRows> encode_rows(const CanonicalDataset& dataset);

}  // namespace hearth::storage
