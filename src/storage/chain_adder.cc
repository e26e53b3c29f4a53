#include "storage/chain_adder.h"

#include <utility>

#include "base/saturate.h"
#include "storage/chained_block.h"
#include "storage/head_rows.h"
#include "storage/segment_format.h"
#include "storage/streamvbyte.h"

namespace hearth::storage {
namespace {

/// Types of the heap family: objects and bytes allocated, objects and bytes in use.
constexpr size_t kAllocSpace = 1;
constexpr size_t kInUseObjects = 2;
constexpr size_t kInUseSpace = 3;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::rows, what);
}

}  // namespace

bool ChainAdder::unpack_keys(const ParsedChain& chain, size_t keys) {
  key_.resize(chain.size);
  svb::decode(chain.key_gaps, chain.size, key_.data());
  return restore_keys(chain.entries, keys, key_);
}

void ChainAdder::settle(uint32_t key, std::span<int64_t> by_key) {
  Standing& s = standing_[key];
  if (s.value != 0 && s.since != counted_)
    by_key[key] = add_saturating(by_key[key], multiply_saturating(s.value, counted_ - s.since));
  s.since = counted_;
}

void ChainAdder::settle_all(std::span<int64_t> by_key) {
  for (const uint32_t key : listed_) {
    settle(key, by_key);
    standing_[key] = {};
  }
  listed_.clear();
}

template <class Before, class Value>
Status ChainAdder::walk(const ParsedChain& chain, size_t first_profile,
                        std::span<const uint32_t> chosen, std::span<int64_t> by_key, Before before,
                        Value value) {
  standing_.resize(by_key.size());
  counted_ = 0;
  size_t i = 0;
  Status status;
  for (size_t p = 0; status && p < chain.entries.size() && counted_ < chosen.size(); ++p) {
    if (chain.chained[p] == 0) settle_all(by_key);
    status = before(p);
    for (const size_t end = i + chain.entries[p]; status && i < end; ++i) {
      const uint32_t key = key_[i];
      Standing& s = standing_[key];
      if (!s.listed) {
        s.listed = true;
        listed_.push_back(key);
      }
      settle(key, by_key);
      // In 64 bits, wrapping: differences of any two values are.
      s.state =
          static_cast<int64_t>(static_cast<uint64_t>(s.state) + static_cast<uint64_t>(delta_[i]));
      if (!value(key, s.state, s.value)) status = damaged("counters without a scale");
    }
    counted_ += chosen[counted_] == first_profile + p ? 1 : 0;
  }
  settle_all(by_key);
  return status;
}

Status ChainAdder::add_counters(const ParsedRowBlock& block, size_t type, size_t first_profile,
                                std::span<const int64_t> period, const HeapScales& heap,
                                std::span<const uint32_t> chosen, std::span<int64_t> by_key) {
  if (!unpack_keys(block.counters, by_key.size())) return damaged("key out of range");
  read_differences(block.allocs, block.counters.size, delta_);
  if (type >= kInUseObjects) {
    read_differences(block.frees, block.counters.size, frees_);
    for (size_t i = 0; i < delta_.size(); ++i) delta_[i] -= frees_[i];
  }
  const bool bytes = type == kAllocSpace || type == kInUseSpace;
  const auto new_rate = [&](size_t p) -> Status {
    if (p > 0 && period[p] == period[p - 1]) return {};
    if (block.counters.chained[p] != 0) return damaged("a chain over two rates");
    scales_ = heap.at_rate(period[p]);
    return {};
  };
  return walk(block.counters, first_profile, chosen, by_key, new_rate,
              [&](uint32_t key, int64_t n, int64_t& value) {
                value = bytes ? scaled_bytes(n, scales_[key]) : scaled_objects(n, scales_[key]);
                return value >= 0;
              });
}

Status ChainAdder::add(const ParsedRowBlock& block, size_t type, size_t first_profile,
                       std::span<const int64_t> period, const HeapScales* heap,
                       std::span<const uint32_t> chosen, std::span<int64_t> by_key) {
  if (block.form == RowForm::heap) {
    if (heap == nullptr || heap->key_size.size() != by_key.size())
      return damaged("a heap block without HEAP");
    HEARTH_RETURN_IF_ERROR(add_counters(block, type, first_profile, period, *heap, chosen, by_key));
  }
  if (!unpack_keys(block.changes, by_key.size())) return damaged("key out of range");
  if (!expand_values(block.columns[type], block.changes.size, Sign::either, delta_))
    return damaged("a value does not fit 64 bits");
  return walk(
      block.changes, first_profile, chosen, by_key, [](size_t) { return Status{}; },
      [](uint32_t, int64_t state, int64_t& value) {
        value = state;
        return true;
      });
}

}  // namespace hearth::storage
