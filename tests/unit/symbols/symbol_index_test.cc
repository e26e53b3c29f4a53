#include "symbols/symbol_index.h"

#include "support/catch.h"

using namespace hearth;
using namespace hearth::symbols;

TEST_CASE("entries with equal hashes are told apart by every part of their contents", "[symbols]") {
  constexpr uint64_t kHash = 0x1234567800000000;  // Given to all entries.
  SymbolColumns columns;
  SymbolIndex index(columns, 1);

  index.strings.insert(kHash, columns.add_string("main"));
  CHECK(index.find(kHash, std::string_view("main")) == 1);
  CHECK(index.find(kHash, std::string_view("mains")) == IdTable::kNone);

  const Function f{1, 2, 3, 4};
  index.functions.insert(kHash, columns.add_function(f));
  CHECK(index.find(kHash, f) == 0);
  for (const Function& other : {Function{0, 2, 3, 4}, {1, 0, 3, 4}, {1, 2, 0, 4}, {1, 2, 3, 0}}) {
    CHECK(index.find(kHash, other) == IdTable::kNone);
  }

  const Mapping m{1, 2, 3, 4, 5, 6};
  index.mappings.insert(kHash, columns.add_mapping(m));
  CHECK(index.find(kHash, m) == 0);
  for (const Mapping& other : {Mapping{0, 2, 3, 4, 5, 6},
                               {1, 0, 3, 4, 5, 6},
                               {1, 2, 0, 4, 5, 6},
                               {1, 2, 3, 0, 5, 6},
                               {1, 2, 3, 4, 0, 6},
                               {1, 2, 3, 4, 5, 0}}) {
    CHECK(index.find(kHash, other) == IdTable::kNone);
  }

  const std::vector<Line> lines = {{1, 10, 2}, {2, 20, 3}};
  const Location l{1, 2, true, lines};
  index.locations.insert(kHash, columns.add_location(l));
  CHECK(index.find(kHash, l) == 1);
  CHECK(index.find(kHash, Location{0, 2, true, lines}) == IdTable::kNone);
  CHECK(index.find(kHash, Location{1, 0, true, lines}) == IdTable::kNone);
  CHECK(index.find(kHash, Location{1, 2, false, lines}) == IdTable::kNone);
  CHECK(index.find(kHash, Location{1, 2, true, std::span(lines).first(1)}) == IdTable::kNone);
  for (const Line& second : {Line{1, 20, 3}, {2, 21, 3}, {2, 20, 4}}) {
    const std::vector<Line> other = {lines[0], second};
    CHECK(index.find(kHash, Location{1, 2, true, other}) == IdTable::kNone);
  }

  index.nodes.insert(kHash, columns.add_node(0, 1));
  CHECK(index.find_node(kHash, 0, 1) == 1);
  CHECK(index.find_node(kHash, 1, 1) == IdTable::kNone);
  CHECK(index.find_node(kHash, 0, 2) == IdTable::kNone);

  const std::vector<LabelEntry> labels = {{1, 2, 0, 0}, {3, 0, 7, 1}};
  index.label_sets.insert(kHash, columns.add_label_set(labels));
  CHECK(index.find(kHash, std::span(labels)) == 1);
  CHECK(index.find(kHash, std::span(labels).first(1)) == IdTable::kNone);
  const std::vector<LabelEntry> other = {{1, 2, 0, 0}, {3, 0, 8, 1}};
  CHECK(index.find(kHash, std::span(other)) == IdTable::kNone);

  index.insert_key({kHash, 1}, columns.add_key(1, 0));
  CHECK(index.find_key({kHash, 1}) == 0);
  CHECK(index.find_key({kHash, 2}) == IdTable::kNone);
}
