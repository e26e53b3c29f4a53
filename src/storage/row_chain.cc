#include "storage/row_chain.h"

#include <algorithm>

#include "base/wrap.h"

namespace hearth::storage {
namespace {

constexpr size_t kAbsent = SIZE_MAX;

/// Calls visit(key, row before or kAbsent, row now or kAbsent) for every key of either profile,
/// ascending.
template <class Visit>
void merge_profiles(std::span<const uint32_t> key, size_t before, size_t at, size_t end,
                    Visit visit) {
  size_t i = before;
  size_t j = at;
  while (i < at || j < end) {
    if (j == end || (i < at && key[i] < key[j])) {
      visit(key[i], i, kAbsent);
      ++i;
    } else if (i == at || key[j] < key[i]) {
      visit(key[j], kAbsent, j);
      ++j;
    } else {
      visit(key[i], i, j);
      ++i;
      ++j;
    }
  }
}

int64_t value_at(std::span<const int64_t> column, size_t row) {
  return row == kAbsent ? 0 : column[row];
}

bool differ(const ChainView& view, size_t a, size_t b) {
  return std::ranges::any_of(
      view.columns, [&](const auto& column) { return value_at(column, a) != value_at(column, b); });
}

void append_entry(const ChainView& view, uint32_t key, size_t before, size_t now, RowChain& out) {
  if (!differ(view, before, now)) return;
  out.key.push_back(key);
  for (size_t c = 0; c < view.columns.size(); ++c)
    out.delta[c].push_back(
        subtract_wrapping(value_at(view.columns[c], now), value_at(view.columns[c], before)));
}

/// Appends the entries of the rows [at, end); answers how many.
size_t append_profile(const ChainView& view, size_t before, size_t at, size_t end, RowChain& out) {
  const size_t begin = out.key.size();
  merge_profiles(view.key, before, at, end,
                 [&](uint32_t key, size_t a, size_t b) { append_entry(view, key, a, b, out); });
  return out.key.size() - begin;
}

void drop_entries(size_t n, RowChain& out) {
  out.key.resize(out.key.size() - n);
  for (auto& column : out.delta) column.resize(column.size() - n);
}

}  // namespace

size_t count_changes(const ChainView& view, size_t before, size_t at, size_t end) {
  size_t changes = 0;
  merge_profiles(view.key, before, at, end,
                 [&](uint32_t, size_t a, size_t b) { changes += differ(view, a, b) ? 1 : 0; });
  return changes;
}

RowChain make_chain(const ChainView& view) {
  RowChain out;
  out.delta.resize(view.columns.size());
  size_t before = 0;
  size_t at = 0;
  for (size_t p = 0; p < view.rows.size(); ++p) {
    const size_t end = at + view.rows[p];
    const bool may_chain = p > 0 && (view.kind.empty() || view.kind[p] == view.kind[p - 1]);
    size_t entries = may_chain ? append_profile(view, before, at, end, out) : 0;
    const bool chained = may_chain && entries < view.rows[p];
    if (!chained) {
      drop_entries(entries, out);
      entries = append_profile(view, at, at, end, out);
    }
    out.chained.push_back(chained ? 1 : 0);
    out.entries.push_back(static_cast<uint32_t>(entries));
    before = at;
    at = end;
  }
  return out;
}

void ChainState::apply(const RowChain& chain, size_t begin, size_t end, bool chained) {
  if (!chained) {
    key_.clear();
    for (auto& column : state_) column.clear();
  }
  next_key_.clear();
  for (auto& column : next_) column.clear();
  const auto push = [&](uint32_t key, size_t old_row, size_t entry) {
    bool zero = true;
    for (size_t c = 0; c < state_.size(); ++c) {
      const int64_t old = old_row < key_.size() ? state_[c][old_row] : 0;
      next_[c].push_back(add_wrapping(old, entry < end ? chain.delta[c][entry] : 0));
      zero = zero && next_[c].back() == 0;
    }
    next_key_.push_back(key);
    if (!zero) return;
    next_key_.pop_back();
    for (auto& column : next_) column.pop_back();
  };
  size_t i = 0;
  size_t e = begin;
  while (i < key_.size() || e < end) {
    if (e == end || (i < key_.size() && key_[i] < chain.key[e])) {
      push(key_[i], i, end);
      ++i;
    } else if (i == key_.size() || chain.key[e] < key_[i]) {
      push(chain.key[e], key_.size(), e);
      ++e;
    } else {
      push(key_[i], i, e);
      ++i;
      ++e;
    }
  }
  key_.swap(next_key_);
  state_.swap(next_);
}

}  // namespace hearth::storage
