#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/random.h"

/// Side data: the span, trace and time of the samples that a row was added up from. Rows do not
/// depend on it, so profiles with and without it share stacks, and queries that do not ask for it
/// never read it.
namespace hearth::storage {

/// What is said of a part of one row; zero: nothing said. Ids are the numbers whose big-endian
/// bytes the client sent.
struct SideEntry {
  uint32_t key = 0;  ///< Of the row.
  uint64_t span_id = 0;
  Id128 trace_id;
  int64_t time_ns = 0;  ///< UTC.
  auto operator<=>(const SideEntry&) const = default;
  [[nodiscard]] bool says_nothing() const {
    return span_id == 0 && trace_id == Id128{} && time_ns == 0;
  }
};

/// Side data of consecutive profiles.
/// Shape:  profile p has count[p] entries behind those of p − 1, ascending and unique; entry e has
///         the values [e * types, (e + 1) * types), its share of the row, not all zero. A table
///         without any entry may leave out the counts.
struct SideTable {
  std::vector<uint32_t> count;
  std::vector<SideEntry> entries;
  std::vector<int64_t> values;
  [[nodiscard]] bool empty() const { return entries.empty(); }
  [[nodiscard]] std::span<const int64_t> values_of(size_t entry, size_t types) const {
    return std::span(values).subspan(entry * types, types);
  }
};

/// Which entries a query is about: those with one of the spans and one of the traces, where there
/// is a list. Both lists ascend; both empty: all rows, whatever is said of them.
struct SideSelector {
  std::vector<uint64_t> spans;
  std::vector<Id128> traces;
  [[nodiscard]] bool empty() const { return spans.empty() && traces.empty(); }
  [[nodiscard]] bool accepts(const SideEntry& entry) const;
};

/// Appends one profile to a table: sorts its entries, adds up equal ones and leaves out those that
/// say nothing or hold nothing. Reuses its scratch space.
class SideSorter {
 public:
  void append(std::span<const SideEntry> entries, std::span<const int64_t> values, size_t types,
              SideTable& out);

 private:
  std::vector<uint32_t> order_;
  std::vector<int64_t> column_;
};

/// by_key[key] += the value of type `type` of each accepted entry in [begin, end), saturating.
/// Every key is below by_key.size().
void add_side_values(const SideTable& side, size_t begin, size_t end, size_t types, size_t type,
                     const SideSelector& selector, std::span<int64_t> by_key);

}  // namespace hearth::storage
