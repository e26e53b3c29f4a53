#include "symbols/symbol_index.h"

namespace hearth::symbols {

SymbolIndex::SymbolIndex(const SymbolColumns& columns, uint64_t seed)
    : columns_(columns), seed_(seed) {
  for (size_t i = 0; i < secrets_.size(); ++i)
    secrets_[i] = XXH3_64bits_withSeed(&i, sizeof i, seed) | 1U;
  strings.insert(hash_of(std::string_view()), 0);
}

uint64_t SymbolIndex::hash_of(const Mapping& m) const {
  const uint64_t hash = mix(mix(m.start, m.limit, 0), m.offset ^ m.flags, 2);
  return mix(hash, pair(m.file, m.build_id), 4);
}

uint64_t SymbolIndex::hash_of(std::span<const LabelEntry> entries) const {
  uint64_t hash = seed_;
  for (const LabelEntry& e : entries)
    hash =
        mix(mix(hash, pair(e.key, e.str), 0), static_cast<uint64_t>(e.num) ^ mix(e.unit, 0, 4), 2);
  return hash;
}

Id128 SymbolIndex::hash_of_key(std::span<const uint32_t> stack_and_labels) const {
  return hash128(
      {reinterpret_cast<const char*>(stack_and_labels.data()), stack_and_labels.size_bytes()},
      seed_);
}

uint32_t SymbolIndex::find(uint64_t hash, std::string_view s) const {
  return strings.find(hash, [&](uint32_t id) { return equals(id, s); });
}
uint32_t SymbolIndex::find(uint64_t hash, const Function& f) const {
  return functions.find(hash, [&](uint32_t id) { return equals(id, f); });
}
uint32_t SymbolIndex::find(uint64_t hash, const Mapping& m) const {
  return mappings.find(hash, [&](uint32_t id) { return columns_.mapping(id) == m; });
}
uint32_t SymbolIndex::find(uint64_t hash, const Location& l) const {
  return locations.find(hash, [&](uint32_t id) { return equals(id, l); });
}
uint32_t SymbolIndex::find(uint64_t hash, std::span<const LabelEntry> entries) const {
  return label_sets.find(hash, [&](uint32_t id) { return columns_.label_set_equals(id, entries); });
}
uint32_t SymbolIndex::find_node(uint64_t hash, uint32_t parent, uint32_t location) const {
  return nodes.find(hash, [&](uint32_t id) { return is_child(id, parent, location); });
}
uint32_t SymbolIndex::find_key(const Id128& hash) const {
  return keys.find(table_hash(hash), [&](uint32_t id) { return key_equals(id, hash); });
}

void SymbolIndex::insert_key(const Id128& hash, uint32_t id) {
  if (key_hashes_.size() <= id) key_hashes_.resize(id + size_t{1});
  key_hashes_[id] = hash;
  keys.insert(table_hash(hash), id);
}

size_t SymbolIndex::memory_bytes() const {
  size_t total = key_hashes_.capacity() * sizeof(Id128);
  for (const IdTable* table :
       {&strings, &functions, &mappings, &locations, &nodes, &label_sets, &keys}) {
    total += table->memory_bytes();
  }
  return total;
}

}  // namespace hearth::symbols
