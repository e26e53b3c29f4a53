#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage/row_block.h"

namespace hearth::storage {

/// Adds rows of a block of changes to sums by key, without undoing the chain: a value that stands
/// in n chosen profiles is added once, times n. So the cost follows the changes, not the rows.
/// Buffers are reused from block to block; one thread per object.
class ChainAdder {
 public:
  /// As RowAdder::add(), for the chained and heap forms. `heap` is needed for the latter.
  [[nodiscard]] Status add(const ParsedRowBlock& block, size_t type, size_t first_profile,
                           std::span<const int64_t> period, const HeapScales* heap,
                           std::span<const uint32_t> chosen, std::span<int64_t> by_key);

 private:
  /// What stands for a key: the chain's column of the sample type, and the value it means.
  struct Standing {
    int64_t state = 0;
    int64_t value = 0;
    uint32_t since = 0;  ///< Chosen profiles before this value stood.
    bool listed = false;
  };
  [[nodiscard]] Status add_counters(const ParsedRowBlock& block, size_t type, size_t first_profile,
                                    std::span<const int64_t> period, const HeapScales& heap,
                                    std::span<const uint32_t> chosen, std::span<int64_t> by_key);
  [[nodiscard]] bool unpack_keys(const ParsedChain& chain, size_t keys);
  /// Walks a chain; `before(p)` comes before the entries of profile p, `value(key, state, out)`
  /// says what a state means, or answers false.
  template <class Before, class Value>
  [[nodiscard]] Status walk(const ParsedChain& chain, size_t first_profile,
                            std::span<const uint32_t> chosen, std::span<int64_t> by_key,
                            Before before, Value value);
  void settle(uint32_t key, std::span<int64_t> by_key);
  void settle_all(std::span<int64_t> by_key);

  std::vector<uint32_t> key_;
  std::vector<int64_t> delta_, frees_;
  std::vector<HeapScale> scales_;
  std::vector<Standing> standing_;  ///< By key; all zero between blocks.
  std::vector<uint32_t> listed_;    ///< Keys that are not.
  uint32_t counted_ = 0;            ///< Chosen profiles of this block so far.
};

}  // namespace hearth::storage
