#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/profile_type.h"
#include "storage/heap_scale.h"
#include "symbols/symbol_tables.h"

/// HEAP: what turns the counters of a Go heap profile's rows into its four values (row mode 2).
namespace hearth::storage {

/// True for alloc_objects:count, alloc_space:bytes, inuse_objects:count, inuse_space:bytes, in this
/// order.
bool is_go_heap(const Family& family);

/// Scale factors by block size and rate (the profile's period).
struct HeapFactor {
  uint64_t size = 0;
  int64_t rate = 0;
  double c = 0;
};

/// The scale of every key of a dataset.
/// Shape:  key_size has one entry per key, 0 where a key has no block size; factors ascend by
/// (rate,
///         size), unique.
struct HeapScales {
  std::vector<uint64_t> key_size;
  std::vector<HeapFactor> factors;
  /// By key; {0, 0} where there is no factor for the key's size at this rate.
  [[nodiscard]] std::vector<HeapScale> at_rate(int64_t rate) const;
  [[nodiscard]] size_t memory_bytes() const {
    return sizeof *this + key_size.capacity() * sizeof(uint64_t) +
           factors.capacity() * sizeof(HeapFactor);
  }
};

/// The block size of each key: the number of its one numeric label `bytes`, 0 when it has none,
/// several, or one out of [1, 2^53].
std::vector<uint64_t> heap_key_sizes(const symbols::SymbolTables& tables);

/// HEAP: varint string (index of "bytes"), varint n, zigzag vcol rates (difference to the factor
/// before), zigzag vcol sizes (the same), n × 8 B c (binary64).
[[nodiscard]] Status encode_heap(std::span<const HeapFactor> factors,
                                 const symbols::SymbolTables& tables, std::string& out);

/// The factors and, from CLASS and KEYS, each key's size. Needs no strings: the index of the
/// label's name is in HEAP.
[[nodiscard]] Status decode_heap(std::string_view raw, std::string_view classes,
                                 std::string_view raw_keys, size_t keys, HeapScales& out);

}  // namespace hearth::storage
