#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "symbols/symbol_columns.h"

namespace hearth::symbols {

/// Ids of one table that have no meaning. Takes memory only when there are some. Not thread-safe.
class LostIds {
 public:
  void add(uint32_t id) {
    if (marks_.size() <= id) marks_.resize(id + size_t{1});
    marks_[id] = true;
  }
  void add_range(uint32_t begin, uint32_t end) {
    if (begin >= end) return;
    if (marks_.size() < end) marks_.resize(end);
    std::fill(marks_.begin() + begin, marks_.begin() + end, true);
  }
  [[nodiscard]] bool has(uint32_t id) const { return id < marks_.size() && marks_[id]; }
  [[nodiscard]] size_t memory_bytes() const { return marks_.capacity() / 8; }

 private:
  std::vector<bool> marks_;
};

/// What lost deltas left without meaning: the entries they would have defined, and every entry that
/// refers to one of those.
struct LostSymbols {
  LostIds strings, functions, mappings, locations, nodes, label_sets, keys;
  uint64_t count = 0;  ///< Entries of lost deltas, without those that refer to them.

  void add_gap(const TableSizes& begin, const TableSizes& end);
  [[nodiscard]] bool affects(const Function& f) const {
    return strings.has(f.name) || strings.has(f.system_name) || strings.has(f.file);
  }
  [[nodiscard]] bool affects(const Mapping& m) const {
    return strings.has(m.file) || strings.has(m.build_id);
  }
  [[nodiscard]] bool affects(const Location& l) const;
  [[nodiscard]] bool affects(std::span<const LabelEntry> entries) const;
  [[nodiscard]] size_t memory_bytes() const;
};

}  // namespace hearth::symbols
