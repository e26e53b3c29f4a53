#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/profile.h"
#include "symbols/symbol_tables.h"

namespace hearth::symbols {

/// Buffers of map(), to be reused from call to call, also for other dictionaries. Not thread-safe.
struct MapBuffers;
struct MapScratch {
  MapScratch();
  ~MapScratch();
  std::unique_ptr<MapBuffers> buffers;
};

/// The append-only symbol tables of one (tenant, service) for one epoch (docs/symbols.md): strings,
/// functions, mappings, locations, stack-tree nodes, label sets and keys. Ids are dense, never
/// change meaning, and are what head rows refer to.
///
/// Threads: map(), the deltas and apply_delta() need the service's lock; tables() may be called
/// under that lock and what it returns is then read without one while the dictionary grows (columns
/// are append-only behind shared buffers).
class Dictionary {
 public:
  /// `id` names this dictionary for caches; `seed` keys every hash over bytes that clients choose.
  Dictionary(Id128 id, uint64_t seed);
  ~Dictionary();
  Dictionary(const Dictionary&) = delete;
  Dictionary& operator=(const Dictionary&) = delete;

  /// Gives every sample of a valid batch its key: keys[s] for sample s, keys.size() ==
  /// batch.samples.size(). Samples with equal stacks and equal labels get equal keys. All labels
  /// that the batch still has belong to the key; so does the address of a location (the write
  /// pipeline zeroes what must not). Symbols no sample refers to are not added. std::bad_alloc
  /// leaves the dictionary usable, `scratch` not.
  void map(const ProfileBatch& batch, std::vector<uint32_t>& keys);
  /// The same, without allocating in the steady state: for callers that map profile after profile.
  void map(const ProfileBatch& batch, std::vector<uint32_t>& keys, MapScratch& scratch);

  /// Nothing is mapped any more: gives back what only looking symbols up needs, more than half of
  /// the memory. Deltas are applied and tables read as before.
  void end_mapping() noexcept;

  /// Bytes of every symbol added since delta_written(), with the table sizes before it; empty when
  /// nothing is new. The format is docs/symbols.md.
  [[nodiscard]] std::string pending_delta() const;
  /// Every symbol so far is in deltas that were taken care of.
  void delta_written() noexcept;
  /// Both in one.
  [[nodiscard]] std::string take_delta();
  /// Replays a delta. A delta that starts behind the tables' end means one was lost: the gap is
  /// filled with unusable entries so that later ids keep their meaning, and `lost` is counted.
  /// `data_loss` when the bytes are malformed; tables are unchanged.
  [[nodiscard]] Status apply_delta(std::string_view delta);
  /// Entries that a lost delta left without meaning. A row that refers to one is quarantined by the
  /// caller (is_known()).
  [[nodiscard]] uint64_t lost() const;
  [[nodiscard]] bool is_known(uint32_t key) const;

  /// The tables as they are now: O(1), no copy.
  [[nodiscard]] std::shared_ptr<const SymbolTables> tables() const;
  [[nodiscard]] Id128 id() const;
  [[nodiscard]] size_t nodes() const;
  [[nodiscard]] size_t keys() const;
  [[nodiscard]] size_t memory_bytes() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::symbols
