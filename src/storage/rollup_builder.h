#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"
#include "storage/rollup.h"
#include "storage/string_section.h"
#include "symbols/symbol_tables.h"

/// ROLL: the rows of a dataset summed over its window, by path of function names.
namespace hearth::storage {

inline constexpr size_t kRollupLabels = 3;
inline constexpr size_t kRollupLabelValues = 64;

/// Sums rows as they come; what it writes depends on the contents alone.
class RollupBuilder {
 public:
  /// Borrows `tables` (canonical: strings ascend) and `series` until finish(). One group per value
  /// of each of `labels` that has at most 64 of them, while the groups' sums stay below 2^21 a
  /// type.
  RollupBuilder(const symbols::SymbolTables& tables, std::span<const LabelSet> series,
                std::vector<std::string> labels, size_t types);

  /// Rows of one profile: values[t][i] of key[i].
  void add(uint32_t series, int64_t period, std::span<const uint32_t> key,
           const std::vector<std::span<const int64_t>>& values);

  /// The section's bytes before compression. `too_large` for a tree that the format cannot hold.
  [[nodiscard]] Result<std::string> finish();

 private:
  void project();
  [[nodiscard]] std::vector<uint32_t> name_nodes(std::vector<uint32_t> string);
  void choose_groups(std::vector<std::string> labels);
  [[nodiscard]] std::string encode_rows() const;

  const symbols::SymbolTables& tables_;
  std::span<const LabelSet> series_;
  size_t types_;
  std::vector<uint32_t> names_;  ///< Strings that name a node, ascending; entry 0 is the root's.
  std::vector<uint32_t> parent_, name_;  ///< Preorder; name_ indexes names_.
  std::vector<uint32_t> node_of_key_;
  std::vector<RollupGroup> groups_;
  std::vector<std::vector<uint32_t>> groups_of_series_;
  std::vector<std::vector<int64_t>> sums_;  ///< sums_[group * types + t][node].
  int64_t period_ = 0;                      ///< 0: of no profile, or they differ.
  bool any_ = false, saturated_ = false;
};

/// Reads a section; `strings` is STR of its dataset.
[[nodiscard]] Result<Rollup> decode_rollup(std::string_view raw, StringColumn strings,
                                           size_t types);

}  // namespace hearth::storage
