#include "symbols/symbol_index.h"

#include "base/hash.h"

namespace hearth::symbols {
namespace {

uint64_t hash_words(std::span<const uint64_t> words, uint64_t seed) {
  return XXH3_64bits_withSeed(words.data(), words.size_bytes(), seed);
}

uint64_t pair(uint32_t high, uint32_t low) {
  return static_cast<uint64_t>(high) << 32U | low;
}

}  // namespace

SymbolIndex::SymbolIndex(const SymbolColumns& columns, uint64_t seed)
    : columns_(columns), seed_(seed) {}

uint64_t SymbolIndex::hash_of(std::string_view s) const {
  return hash64(s, seed_);
}

uint64_t SymbolIndex::hash_of(const Function& f) const {
  return hash_words(std::to_array({pair(f.name, f.system_name), uint64_t{f.file},
                                   static_cast<uint64_t>(f.start_line)}),
                    seed_);
}

uint64_t SymbolIndex::hash_of(const Mapping& m) const {
  return hash_words(
      std::to_array({m.start, m.limit, m.offset, pair(m.file, m.build_id), uint64_t{m.flags}}),
      seed_);
}

uint64_t SymbolIndex::hash_of(const Location& l) const {
  // One line is by far the commonest; further lines are chained, each block hash seeding the next.
  const Line first = l.lines.empty() ? Line{} : l.lines[0];
  const uint64_t shape = static_cast<uint64_t>(l.lines.size()) << 1U | (l.folded ? 1U : 0U);
  uint64_t hash = hash_words(
      std::to_array({pair(l.mapping, first.function), l.address, shape,
                     static_cast<uint64_t>(first.line), static_cast<uint64_t>(first.column)}),
      seed_);
  for (size_t i = 1; i < l.lines.size(); ++i) {
    const Line& line = l.lines[i];
    hash =
        hash_words(std::to_array({hash, uint64_t{line.function}, static_cast<uint64_t>(line.line),
                                  static_cast<uint64_t>(line.column)}),
                   seed_);
  }
  return hash;
}

uint64_t SymbolIndex::hash_of(std::span<const LabelEntry> entries) const {
  uint64_t hash = seed_;
  for (const LabelEntry& e : entries) {
    hash = hash_words(
        std::to_array({hash, pair(e.key, e.str), static_cast<uint64_t>(e.num), uint64_t{e.unit}}),
        seed_);
  }
  return hash;
}

uint64_t SymbolIndex::hash_of_node(uint32_t parent, uint32_t location) const {
  const uint64_t word = pair(parent, location);
  return hash_words({&word, 1}, seed_);
}

Id128 SymbolIndex::hash_of_key(std::span<const uint32_t> stack_and_labels) const {
  return hash128(
      {reinterpret_cast<const char*>(stack_and_labels.data()), stack_and_labels.size_bytes()},
      seed_);
}

uint32_t SymbolIndex::find(uint64_t hash, std::string_view s) const {
  return strings.find(hash, [&](uint32_t id) { return columns_.string(id) == s; });
}
uint32_t SymbolIndex::find(uint64_t hash, const Function& f) const {
  return functions.find(hash, [&](uint32_t id) { return columns_.function(id) == f; });
}
uint32_t SymbolIndex::find(uint64_t hash, const Mapping& m) const {
  return mappings.find(hash, [&](uint32_t id) { return columns_.mapping(id) == m; });
}
uint32_t SymbolIndex::find(uint64_t hash, const Location& l) const {
  return locations.find(hash, [&](uint32_t id) { return columns_.location_equals(id, l); });
}
uint32_t SymbolIndex::find(uint64_t hash, std::span<const LabelEntry> entries) const {
  return label_sets.find(hash, [&](uint32_t id) { return columns_.label_set_equals(id, entries); });
}
uint32_t SymbolIndex::find_node(uint64_t hash, uint32_t parent, uint32_t location) const {
  return nodes.find(hash, [&](uint32_t id) {
    return columns_.node_parent(id) == parent && columns_.node_location(id) == location;
  });
}
uint32_t SymbolIndex::find_key(const Id128& hash) const {
  return keys.find(table_hash(hash), [&](uint32_t id) { return key_hashes_[id] == hash; });
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
