#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"
#include "storage/loose_tree.h"
#include "storage/rollup.h"

/// CROLL, CSTR and CLBL: one rollup of all datasets of a segment that have one key.
namespace hearth::storage {

/// The three sections before compression.
struct CoverSections {
  std::string roll, strings, series;
};

/// Adds up the rollups of datasets. In memory is one tree, that of all of them; what it writes
/// depends on the contents alone, in whatever order they come.
class CoverBuilder {
 public:
  /// Memory that a node takes at most until finish() returns, for two sample types.
  static constexpr uint64_t kNodeBytes = 160;

  /// A tree of more than `nodes_max` nodes is given up.
  CoverBuilder(size_t types, size_t nodes_max) : nodes_max_(nodes_max), self_(types) {}

  void add(const Rollup& part, std::span<const LabelSet> series);

  /// nullopt where a cover would serve nobody: of fewer than two datasets, with a sum that does not
  /// fit 64 bits, or larger than the format or `nodes_max` allows.
  [[nodiscard]] Result<std::optional<CoverSections>> finish() const;

 private:
  uint32_t intern(std::string_view name);
  void add_values(const Rollup& part, std::span<const uint32_t> node_of);
  [[nodiscard]] Result<std::string> encode_roll(std::span<const std::string_view> strings) const;

  const size_t nodes_max_;
  size_t parts_ = 0;
  bool given_up_ = false;
  int64_t period_ = 0;             ///< 0: the parts' differ.
  LooseTree tree_{0};              ///< Names by number, in order of arrival; 0 is the root's.
  std::deque<std::string> texts_;  ///< Of names from 1 on; they never move.
  boost::unordered_flat_map<std::string_view, uint32_t> number_;
  std::vector<std::vector<int64_t>> self_;  ///< By sample type and node of `tree_`.
  std::vector<LabelSet> series_;            ///< Sorted, unique.
};

}  // namespace hearth::storage
