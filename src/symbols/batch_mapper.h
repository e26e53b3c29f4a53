#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "hearth/profile.h"
#include "symbols/symbol_columns.h"
#include "symbols/symbol_index.h"

namespace hearth::symbols {

/// Buffers of one map() call, to be reused from call to call (also for other dictionaries). Not
/// thread-safe.
struct MapBuffers {
  /// By index in the batch: kUnused, kUsed until it has its id, then the id in the dictionary.
  std::vector<uint32_t> strings, functions, mappings, locations;
  std::vector<uint32_t> todo;        ///< Batch indices that are used, ascending.
  std::vector<Line> lines;           ///< Of all locations, as in the batch.
  std::vector<LabelEntry> labels;    ///< Of one sample.
  std::vector<uint32_t> label_sets;  ///< By sample; empty when no sample has labels.
  std::vector<uint32_t> stack;   ///< Location ids of one sample, leaf first, then its label set.
  std::vector<uint32_t> missed;  ///< Samples of a block whose key is new.
};

/// Maps one batch to ids of a dictionary, adding what is new (Dictionary::map). Tables are resolved
/// bottom-up, each in blocks of three passes: hash and prefetch the slot; prefetch the candidate's
/// content; compare, or add.
class BatchMapper {
 public:
  BatchMapper(SymbolColumns& columns, SymbolIndex& index, const ProfileBatch& batch,
              MapBuffers& scratch)
      : columns_(columns), index_(index), batch_(batch), scratch_(scratch) {}

  void map(std::vector<uint32_t>& keys);

 private:
  static constexpr uint32_t kUnused = UINT32_MAX;
  static constexpr uint32_t kUsed = UINT32_MAX - 1;
  static constexpr size_t kBlock = 128;
  static constexpr size_t kDescents =
      32;  ///< In lock-step: enough to hide memory latency, few enough to stay in L1.

  static constexpr size_t kChain = 32;  ///< New nodes whose slots are fetched together.

  void mark_used();
  template <class EntryAt, class Warm, class WarmDeep>
  void resolve(IdTable& table, std::vector<uint32_t>& ids, EntryAt entry_at, Warm warm,
               WarmDeep warm_deep);
  uint32_t add(std::string_view s) { return columns_.add_string(s); }
  uint32_t add(const Function& f) { return columns_.add_function(f); }
  uint32_t add(const Location& l) { return columns_.add_location(l); }
  void map_strings();
  void map_functions();
  void map_mappings();
  void map_locations();
  void map_label_sets();
  void map_samples(std::vector<uint32_t>& keys);
  void map_block(size_t begin, std::span<uint32_t> keys);
  void add_keys(size_t begin, std::span<const uint32_t> missed, std::span<const Id128> hashes,
                std::span<uint32_t> keys);

  uint32_t label_set_of(size_t sample);
  uint32_t label_set_of_labels(std::span<const ProfileBatch::SampleLabel> labels);
  uint32_t labels_of(size_t sample) const {
    return scratch_.label_sets.empty() ? 0 : scratch_.label_sets[sample];
  }
  std::span<const uint32_t> stack_and_labels(size_t sample);

  /// A new stack on its way down from the root: `node` is reached, `left` frames (from the root
  /// side) are to come.
  struct Descent {
    size_t sample = 0;
    size_t left = 0;
    uint32_t node = 0;
    uint32_t location = 0;   ///< Of the next frame.
    uint32_t candidate = 0;  ///< Node that may stand for it.
    uint64_t hash = 0;
  };
  void descend_known(std::span<Descent> group) const;
  uint32_t next_location(const Descent& d) const {
    const size_t frame = batch_.samples.stack_begin[d.sample] + d.left - 1;
    return scratch_.locations.data()[batch_.samples.frames.data()[frame]];
  }
  uint32_t node_below(Descent d);
  void add_chain(Descent& d);

  SymbolColumns& columns_;
  SymbolIndex& index_;
  const ProfileBatch& batch_;
  MapBuffers& scratch_;
  /// Label sets of single labels, by a hash of the label: Go's heap profiles have one size a
  /// sample, about a hundred different ones.
  struct KnownLabel {
    ProfileBatch::SampleLabel label;
    uint32_t set = 0;  ///< 0: none.
  };
  static constexpr unsigned kKnownLabelBits = 9;
  std::array<KnownLabel, size_t{1} << kKnownLabelBits> known_labels_;
};

}  // namespace hearth::symbols
