#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/key_sums.h"
#include "query/place.h"
#include "query/text_table.h"
#include "symbols/symbol_tables.h"

namespace hearth::query {

/// Collects the weights of places over datasets. The weight of a location is the value of all
/// stacks it is in, once per occurrence: enough to rank, not a number to show.
class PlaceFinder {
 public:
  /// Adds a dataset's sums by key; keeps `tables` alive. Thread-safe.
  [[nodiscard]] Status add(std::shared_ptr<const symbols::SymbolTables> tables,
                           std::span<const int64_t> by_key, ScratchPool& scratch);
  /// places[i] belongs to names[i]; names without a place get an empty one. Ends the finder's use.
  [[nodiscard]] std::vector<Place> find(const std::vector<std::string>& names);

 private:
  struct Line {
    uint32_t name, file, binary;
    int64_t line;
    int64_t weight;
  };
  uint32_t intern(std::string_view text);
  void merge_equal();
  [[nodiscard]] Place heaviest(std::span<const Line> of_one_name) const;

  std::mutex mutex_;
  std::vector<std::shared_ptr<const symbols::SymbolTables>> owners_;
  TextTable texts_;
  std::vector<Line> lines_;
};

}  // namespace hearth::query
