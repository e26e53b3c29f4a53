#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/block_section.h"
#include "storage/canonical_dataset.h"
#include "storage/heap_section.h"
#include "storage/row_block.h"
#include "storage/segment_format.h"

namespace hearth::storage {

struct RawSection {
  SectionKind kind{};
  std::string bytes;
};

/// What the sections but ROWS and BLKS hold; borrowed.
struct SectionInput {
  symbols::SymbolTables tables;
  const RankedEdges& edges;
  const KeyList& keys;
  std::span<const LabelSet> series;
  const ProfileTable& profiles;
  std::span<const HeapFactor> heap{};  ///< Not empty: HEAP is written.
};

/// STR … HEAP, LBL and PROF before compression, in file order.
[[nodiscard]] Result<std::vector<RawSection>> encode_sections(const SectionInput& input);
[[nodiscard]] SectionInput section_input(const CanonicalDataset& dataset,
                                         std::span<const HeapFactor> heap);

/// ROWS, compressed block by block, and what BLKS and HEAP say of the blocks.
struct EncodedRows {
  std::vector<RowBlockInfo> blocks;
  std::string stored;
  std::vector<HeapFactor> heap;
};
/// The form of each block is the one that is likely to be smallest; `level` is the segment's.
[[nodiscard]] Result<EncodedRows> encode_rows(const CanonicalDataset& dataset, uint8_t level);

}  // namespace hearth::storage
