#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "storage/heap_section.h"

namespace hearth::storage {

struct CanonicalDataset;

/// The rows of a Go heap dataset as counters (heap_scale.h).
/// Shape:  one entry per row; a row that is verbatim (1) has counters 0. `factors` are those that
///         the other rows need.
struct HeapRows {
  std::vector<int64_t> allocs, frees;
  std::vector<uint8_t> verbatim;
  std::vector<HeapFactor> factors;
};

/// nullopt when the heap form does not pay or cannot hold the rows: another family, more than one
/// row in eight that is no multiple of counters, a row that is all zero.
std::optional<HeapRows> unscale_rows(const CanonicalDataset& dataset);

}  // namespace hearth::storage
