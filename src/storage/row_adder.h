#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/chain_adder.h"
#include "storage/row_block.h"

namespace hearth::storage {

/// The loop of every row query: adds rows of chosen profiles of a parsed block into an array
/// indexed by key. About a nanosecond a row besides decompression (measured). Buffers are
/// reused from block to block; one thread per object.
class RowAdder {
 public:
  /// Adds values of sample type `type` to `by_key`, saturating. `first_profile` is the block's
  /// first profile, `rows` and `period` are those of its profiles, `chosen` the ascending profile
  /// indexes that lie in the block. `data_loss` when a key or a product is out of range; earlier
  /// profiles are then already added.
  [[nodiscard]] Status add(const ParsedRowBlock& block, size_t type, size_t first_profile,
                           std::span<const uint32_t> rows, std::span<const int64_t> period,
                           std::span<const uint32_t> chosen, std::span<int64_t> by_key);

  std::string raw;  ///< The caller's decompression buffer, kept here so that it is reused too.
  ParsedRowBlock parsed;  ///< The caller's parse of it.
  std::shared_ptr<const HeapScales>
      heap;  ///< The caller's too; needed for blocks in the heap form.

 private:
  [[nodiscard]] Status add_profile(size_t begin, size_t end, int64_t factor, bool wide,
                                   std::span<int64_t> by_key) const;
  [[nodiscard]] bool all_zero(size_t begin, size_t end, bool wide) const;
  std::vector<uint32_t> gaps_, low_, high_;
  ChainAdder chain_;
};

}  // namespace hearth::storage
