#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/result.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {

/// Which entries of each table are reachable from a set of keys; one byte per entry, 1 = used.
/// String 0, location 0, node 0 and label set 0 are always used.
struct SymbolUsage {
  std::vector<uint8_t> strings, functions, mappings, locations, nodes, label_sets;
};

/// Calls visit(i) for the entries that are marked, ascending. Of an epoch's dictionary a seal uses
/// few, so it looks at eight at a time.
template <class Visit>
void for_each_used(std::span<const uint8_t> used, Visit&& visit) {
  constexpr size_t kWord = sizeof(uint64_t);
  size_t i = 0;
  for (uint64_t word; i + kWord <= used.size(); i += kWord) {
    std::memcpy(&word, used.data() + i, kWord);
    if (word == 0) continue;
    for (size_t j = i; j < i + kWord; ++j) {
      if (used[j] != 0) visit(static_cast<uint32_t>(j));
    }
  }
  for (; i < used.size(); ++i) {
    if (used[i] != 0) visit(static_cast<uint32_t>(i));
  }
}

/// The same, descending.
template <class Visit>
void for_each_used_down(std::span<const uint8_t> used, Visit&& visit) {
  constexpr size_t kWord = sizeof(uint64_t);
  size_t i = used.size();
  for (; i % kWord != 0; --i) {
    if (used[i - 1] != 0) visit(static_cast<uint32_t>(i - 1));
  }
  for (uint64_t word; i > 0; i -= kWord) {
    std::memcpy(&word, used.data() + i - kWord, kWord);
    if (word == 0) continue;
    for (size_t j = i; j > i - kWord; --j) {
      if (used[j - 1] != 0) visit(static_cast<uint32_t>(j - 1));
    }
  }
}

/// Walks keys → nodes → locations → functions and mappings → strings. `internal` when an index is
/// outside its table: tables come from a dictionary or a verified segment, so that is a bug, but
/// one that must not reach a file.
[[nodiscard]] Result<SymbolUsage> mark_used(const symbols::SymbolTables& t,
                                            std::span<const uint8_t> key_used);

}  // namespace hearth::storage
