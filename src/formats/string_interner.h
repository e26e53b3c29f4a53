#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/hash.h"

namespace hearth::formats {

/// Gives equal strings equal numbers, in order of first use. Keeps views, not bytes. Eight bytes a
/// string beside the view; the hash is seeded per process, because clients choose the strings.
class StringInterner {
 public:
  struct Entry {
    uint32_t index;
    bool added;
  };
  Entry intern(std::string_view s) {
    if (2 * strings_.size() >= slots_.size()) grow();
    for (size_t slot = hash(s) & mask();; slot = (slot + 1) & mask()) {
      if (slots_[slot] == 0) {
        strings_.push_back(s);
        slots_[slot] = static_cast<uint32_t>(strings_.size());
        return {slots_[slot] - 1, true};
      }
      if (strings_[slots_[slot] - 1] == s) return {slots_[slot] - 1, false};
    }
  }
  [[nodiscard]] const std::vector<std::string_view>& strings() const { return strings_; }

 private:
  [[nodiscard]] size_t mask() const { return slots_.size() - 1; }
  static size_t hash(std::string_view s) { return hash64(s, process_hash_seed()); }
  void grow() {
    slots_.assign(slots_.empty() ? 64 : 2 * slots_.size(), 0);
    for (size_t i = 0; i < strings_.size(); ++i) {
      size_t slot = hash(strings_[i]) & mask();
      while (slots_[slot] != 0) slot = (slot + 1) & mask();
      slots_[slot] = static_cast<uint32_t>(i + 1);
    }
  }

  std::vector<std::string_view> strings_;
  std::vector<uint32_t> slots_;  // Index + 1; 0: free. A power of two of them.
};

}  // namespace hearth::formats
