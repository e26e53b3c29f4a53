#include "query/text_table.h"

namespace hearth::query {

TextTable::Slot& TextTable::probe(std::string_view text, uint64_t hash) {
  const auto tag = static_cast<uint32_t>(hash >> 32U);
  for (size_t at = hash & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    Slot& slot = slots_[at];
    if (slot.id == 0 || (slot.tag == tag && texts_[slot.id] == text)) return slot;
  }
}

void TextTable::grow() {
  slots_.assign(slots_.empty() ? 256 : 2 * slots_.size(), Slot{0, 0});
  for (uint32_t id = 1; id < texts_.size(); ++id) {
    probe(texts_[id], hashes_[id]) = {static_cast<uint32_t>(hashes_[id] >> 32U), id};
  }
}

uint32_t TextTable::intern(std::string_view text, uint64_t hash) {
  if (text.empty()) return 0;
  if (texts_.size() >= slots_.size() / 2) grow();
  Slot& slot = probe(text, hash);
  if (slot.id == 0) {
    slot = {static_cast<uint32_t>(hash >> 32U), static_cast<uint32_t>(texts_.size())};
    texts_.push_back(text);
    hashes_.push_back(hash);
  }
  return slot.id;
}

size_t TextTable::memory_bytes() const {
  return slots_.capacity() * sizeof(Slot) + texts_.capacity() * sizeof(std::string_view) +
         hashes_.capacity() * sizeof(uint64_t);
}

}  // namespace hearth::query
