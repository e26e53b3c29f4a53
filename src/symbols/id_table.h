#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace hearth::symbols {

/// Open-addressing hash table from a 64-bit hash to dense ids; what an id stands for lives in the
/// caller's columns.
///
///   slot (8 B) = tag: upper 32 bits of the hash | id
///
/// A slot's place comes from its tag, so that growing needs no hash again; linear probing, at most
/// 3/4 full. A tag is no proof of equality: `find` asks the caller to compare contents. Stock maps
/// offer no prefetch by hash, and with many services memory latency, not hashing, is the limit
/// (measured): callers prefetch a block, then probe it. Not thread-safe.
class IdTable {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  void prefetch(uint64_t hash) const { __builtin_prefetch(slots_.data() + (tag_of(hash) & mask_)); }
  /// First id with the hash's tag, not verified, or kNone: what to prefetch before `find`.
  [[nodiscard]] uint32_t candidate(uint64_t hash) const {
    return find(hash, [](uint32_t) { return true; });
  }
  /// The id with this hash for which `equal(id)` holds, or kNone.
  template <class Equal>
  [[nodiscard]] uint32_t find(uint64_t hash, Equal&& equal) const {
    if (slots_.empty()) return kNone;
    const uint32_t tag = tag_of(hash);
    const Slot* const slots = slots_.data();
    for (size_t at = tag & mask_;; at = (at + 1) & mask_) {
      const Slot slot = slots[at];
      if (slot.id == kNone) return kNone;
      if (slot.tag == tag && equal(slot.id)) return slot.id;
    }
  }
  /// Adds an id that `find` does not return.
  void insert(uint64_t hash, uint32_t id) {
    if (4 * (size_ + 1) > 3 * slots_.size()) reserve(1);
    place({tag_of(hash), id});
    ++size_;
  }
  /// Makes room for `more` ids in one step.
  void reserve(size_t more) {
    size_t slots = std::max(slots_.size(), kFirstSlots);
    while (4 * (size_ + more) > 3 * slots) slots *= 2;
    if (slots > slots_.size()) grow(slots);
  }
  [[nodiscard]] size_t size() const { return size_; }
  [[nodiscard]] size_t memory_bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t id = kNone;
  };
  static constexpr size_t kFirstSlots = 16;

  static uint32_t tag_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32U); }
  void place(Slot slot) {
    size_t at = slot.tag & mask_;
    while (slots_[at].id != kNone) at = (at + 1) & mask_;
    slots_[at] = slot;
  }
  void grow(size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.id != kNone) place(slot);
    }
  }

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace hearth::symbols
