#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hearth::query {

/// Texts → dense ids in order of first use; text 0 is "". Keeps views: the caller keeps the bytes
/// alive. Equality is of bytes; hashes are the caller's (hash64 with the process's seed), so that
/// cached ones are not computed again.
class TextTable {
 public:
  TextTable() : texts_{std::string_view()} {}

  uint32_t intern(std::string_view text, uint64_t hash);
  [[nodiscard]] std::string_view text(uint32_t id) const { return texts_[id]; }
  [[nodiscard]] const std::vector<std::string_view>& texts() const { return texts_; }
  [[nodiscard]] size_t memory_bytes() const;

 private:
  struct Slot {
    uint32_t tag, id;  ///< tag: high half of the hash; id 0 = free.
  };
  Slot& probe(std::string_view text, uint64_t hash);
  void grow();

  std::vector<Slot> slots_;
  std::vector<std::string_view> texts_;
  std::vector<uint64_t> hashes_{0};
};

}  // namespace hearth::query
