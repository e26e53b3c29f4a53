#include "storage/chain_adder.h"

#include "base/varint.h"
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

void read_differences(std::string_view column, size_t n, std::vector<int64_t>& out) {
  std::vector<uint32_t> words(n);
  svb::decode(column, n, words.data());
  out.resize(n);
  for (size_t i = 0; i < n; ++i) out[i] = unzigzag(words[i]);
}

int64_t times_saturating(int64_t value, uint32_t n) {
  int64_t product;
  if (!__builtin_mul_overflow(value, n, &product)) return product;
  return value < 0 ? INT64_MIN : INT64_MAX;
}

}  // namespace

bool ChainAdder::unpack(const ParsedRowBlock& block, size_t type, size_t keys) {
  key_.resize(block.entries);
  svb::decode(block.key_gaps, block.entries, key_.data());
  if (!restore_keys(block.profile_entries, keys, key_)) return false;
  if (!is_heap_) return expand_values(block.columns[type], block.entries, Sign::either, delta_);
  read_differences(block.allocs, block.entries, delta_);
  if (type < kInUseObjects) return true;
  read_differences(block.frees, block.entries, frees_);
  for (size_t i = 0; i < delta_.size(); ++i) delta_[i] -= frees_[i];
  return true;
}

void ChainAdder::settle(uint32_t key, std::span<int64_t> by_key) {
  Standing& s = standing_[key];
  if (s.value != 0 && s.since != counted_)
    by_key[key] = saturating_add(by_key[key], times_saturating(s.value, counted_ - s.since));
  s.since = counted_;
}

void ChainAdder::settle_all(std::span<int64_t> by_key) {
  for (const uint32_t key : listed_) {
    settle(key, by_key);
    standing_[key] = {};
  }
  listed_.clear();
}

Status ChainAdder::apply(size_t begin, size_t end, size_t type, std::span<int64_t> by_key) {
  const bool bytes = type == kAllocSpace || type == kInUseSpace;
  for (size_t i = begin; i < end; ++i) {
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
    s.value = s.state;
    if (!is_heap_) continue;
    s.value = bytes ? scaled_bytes(s.state, scales_[key]) : scaled_objects(s.state, scales_[key]);
    if (s.value < 0) return damaged("counters without a scale");
  }
  return {};
}

Status ChainAdder::add(const ParsedRowBlock& block, size_t type, size_t first_profile,
                       std::span<const int64_t> period, const HeapScales* heap,
                       std::span<const uint32_t> chosen, std::span<int64_t> by_key) {
  is_heap_ = block.form == RowForm::heap;
  if (is_heap_ && (heap == nullptr || heap->key_size.size() != by_key.size()))
    return damaged("a heap block without HEAP");
  if (!unpack(block, type, by_key.size())) return damaged("key or value out of range");
  for (const ParsedRowBlock::Verbatim& row : block.verbatim) {
    if (row.key >= by_key.size()) return damaged("key out of range");
  }
  standing_.resize(by_key.size());
  counted_ = 0;
  size_t entry = 0;
  size_t verbatim = 0;
  Status status;
  for (size_t p = 0; p < period.size() && counted_ < chosen.size(); ++p) {
    const bool new_rate = p == 0 || period[p] != period[p - 1];
    if (block.chained[p] == 0) settle_all(by_key);
    if (is_heap_ && new_rate && block.chained[p] != 0) {
      status = damaged("a chain over two rates");
      break;
    }
    if (is_heap_ && new_rate) scales_ = heap->at_rate(period[p]);
    const size_t end = entry + block.profile_entries[p];
    status = apply(std::exchange(entry, end), end, type, by_key);
    if (!status) break;
    const bool is_chosen = chosen[counted_] == first_profile + p;
    for (; verbatim < block.verbatim.size() && block.verbatim[verbatim].profile == p; ++verbatim) {
      const ParsedRowBlock::Verbatim& row = block.verbatim[verbatim];
      if (is_chosen) by_key[row.key] = saturating_add(by_key[row.key], row.values[type]);
    }
    counted_ += is_chosen ? 1 : 0;
  }
  settle_all(by_key);
  return status;
}

}  // namespace hearth::storage
