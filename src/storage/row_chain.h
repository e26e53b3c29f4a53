#pragma once

#include <cstdint>
#include <span>
#include <vector>

/// Rows of consecutive profiles as changes. Where a process reports counters (heap, goroutines,
/// contention), most rows of a profile are those of the one before.
namespace hearth::storage {

/// Rows to chain. Shape:  profile p has rows[p] rows; keys ascend strictly inside a profile;
/// columns[c] is as long as key. A row whose columns are all zero counts as absent.
struct ChainView {
  std::span<const uint32_t> rows;
  std::span<const uint32_t> key;
  std::vector<std::span<const int64_t>> columns;
  /// Not empty: a profile is chained only to one with an equal entry.
  std::span<const int64_t> kind{};
};

/// Entries of profile p: chained[p] = 0: its rows; 1: for each key whose columns differ from the
/// profile before, the differences (in 64 bits, wrapping; an absent row is all zero).
/// Shape:  entries[p] of them follow those of p − 1; delta[c] is as long as key.
struct RowChain {
  std::vector<uint32_t> entries;
  std::vector<uint8_t> chained;
  std::vector<uint32_t> key;
  std::vector<std::vector<int64_t>> delta;
};

/// Chains a profile where that takes fewer entries than rows.
RowChain make_chain(const ChainView& view);

/// How many keys of two profiles' rows differ in some column. Of view's profiles p − 1 and p, which
/// begin at rows `before` and `at`.
size_t count_changes(const ChainView& view, size_t before, size_t at, size_t end);

/// One profile's rows while a chain is undone.
/// Shape:  state[c] is as long as key; keys ascend; no row is all zero.
class ChainState {
 public:
  explicit ChainState(size_t columns) : state_(columns), next_(columns) {}
  /// Applies the entries [begin, end) of `chain`, which belong to one profile.
  void apply(const RowChain& chain, size_t begin, size_t end, bool chained);
  [[nodiscard]] std::span<const uint32_t> key() const { return key_; }
  [[nodiscard]] const std::vector<int64_t>& state(size_t column) const { return state_[column]; }

 private:
  std::vector<uint32_t> key_, next_key_;
  std::vector<std::vector<int64_t>> state_, next_;
};

}  // namespace hearth::storage
