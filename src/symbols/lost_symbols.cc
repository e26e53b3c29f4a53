#include "symbols/lost_symbols.h"

namespace hearth::symbols {

void LostSymbols::add_gap(const TableSizes& begin, const TableSizes& end) {
  const auto from = begin.list();
  const auto to = end.list();
  const std::array<LostIds*, 7> tables = {&strings, &functions,  &mappings, &locations,
                                          &nodes,   &label_sets, &keys};
  for (size_t i = 0; i < tables.size(); ++i) {
    if (to[i] <= from[i]) continue;
    tables[i]->add_range(from[i], to[i]);
    count += to[i] - from[i];
  }
}

bool LostSymbols::affects(const Location& l) const {
  return (l.mapping != 0 && mappings.has(l.mapping - 1)) ||
         std::any_of(l.lines.begin(), l.lines.end(),
                     [this](const Line& line) { return functions.has(line.function); });
}

bool LostSymbols::affects(std::span<const LabelEntry> entries) const {
  return std::any_of(entries.begin(), entries.end(), [this](const LabelEntry& e) {
    return strings.has(e.key) || strings.has(e.str) || strings.has(e.unit);
  });
}

size_t LostSymbols::memory_bytes() const {
  size_t total = 0;
  for (const LostIds* ids :
       {&strings, &functions, &mappings, &locations, &nodes, &label_sets, &keys})
    total += ids->memory_bytes();
  return total;
}

}  // namespace hearth::symbols
