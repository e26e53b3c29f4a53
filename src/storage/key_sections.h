#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/owned_symbols.h"

/// CLASS and KEYS: which nodes end a stack that rows refer to, and from which the ids of the keys
/// follow (docs/segment_format.md). Ids are dense: highest class first, inside a class in preorder,
/// inside a node by label set. Rare keys thus get large ids and frequent ones small gaps, for one
/// byte per node.
namespace hearth::storage {

/// Keys in the order (node, label set), before they have ids.
struct KeyList {
  std::vector<uint32_t> node, labels;
  std::vector<uint8_t> key_class;
  [[nodiscard]] size_t size() const { return node.size(); }
};

/// The class of each key from the number of profiles it occurs in (≥ 1). From 500 profiles up: 1 +
/// ⌊log2 f⌋; below: the same for the 512 most frequent (ties: the earlier), 1 for the rest, which
/// makes the map cheaper. Any bytes 1…64 are valid.
std::vector<uint8_t> choose_classes(std::span<const uint32_t> frequency, size_t profiles);

/// id[i] of the i-th key of the list.
std::vector<uint32_t> assign_key_ids(std::span<const uint8_t> key_class);

/// CLASS: one byte per node 1…nodes.
void encode_classes(const KeyList& keys, size_t nodes, std::string& out);

/// KEYS: vec of label sets (a set: vec of {varint key, varint string [, svarint number, varint unit
/// when string is 0]}; set 0, the empty one, is not listed), then for the root (samples without a
/// stack; mostly empty) and for each node with class byte 255 a vec of {varint label set, u8
/// class}, label sets ascending. Sets are sorted as tuples of indexes, unique; labels inside a set
/// sorted the same way.
[[nodiscard]] Status encode_keys(const KeyList& keys, const symbols::SymbolTables& t,
                                 std::string& out);

/// Decodes both; fills label_*, key_node, key_labels and key_class of `out` for exactly `keys`
/// keys.
[[nodiscard]] Status decode_keys(std::string_view classes, std::string_view raw, size_t keys,
                                 OwnedSymbols& out);
/// The same without the tables before them: `strings` is how many strings there may be.
[[nodiscard]] Status decode_keys(std::string_view classes, std::string_view raw, size_t keys,
                                 uint64_t strings, OwnedSymbols& out);

/// Order of two label sets of the same tables.
[[nodiscard]] int compare_label_sets(const symbols::SymbolTables& t, size_t a, size_t b);

}  // namespace hearth::storage
