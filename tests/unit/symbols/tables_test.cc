#include <map>
#include <thread>

#include "base/random.h"
#include "support/catch.h"
#include "symbols/id_table.h"
#include "symbols/snapshot_vector.h"

using namespace hearth;
using symbols::IdTable;
using symbols::SnapshotVector;

TEST_CASE("an id table finds what was inserted, through growth and equal tags", "[symbols]") {
  auto random = seeded_random(3);
  std::map<uint64_t, uint32_t> model;
  std::vector<uint64_t> content;
  IdTable table;
  for (int i = 0; i < 20'000; ++i) {
    // Few distinct tags, so that the contents have to tell them apart.
    const uint64_t hash = (random->next_u64() % 4096) << 32U | (random->next_u64() % 16);
    const auto equal = [&](uint32_t id) { return content[id] == hash; };
    const auto known = model.find(hash);
    REQUIRE(table.find(hash, equal) == (known == model.end() ? IdTable::kNone : known->second));
    if (known != model.end()) continue;
    const auto id = static_cast<uint32_t>(content.size());
    content.push_back(hash);
    model[hash] = id;
    table.insert(hash, id);
  }
  CHECK(table.size() == model.size());
  CHECK(table.memory_bytes() <= 3 * 8 * model.size());
}

TEST_CASE("an empty id table takes no memory and finds nothing", "[symbols]") {
  const IdTable table;
  table.prefetch(1);
  CHECK(table.candidate(1) == IdTable::kNone);
  CHECK(table.memory_bytes() == 0);
}

TEST_CASE("a snapshot vector keeps what a reader saw while it grows", "[symbols]") {
  SnapshotVector<uint32_t> column;
  column.push_back(7);
  const auto seen = column.items();
  const auto owner = column.owner();
  for (uint32_t i = 0; i < 1000; ++i) column.push_back(i);
  CHECK(seen.size() == 1);
  CHECK(seen[0] == 7);
  CHECK(column.size() == 1001);
  CHECK(column[1000] == 999);
  column.fill_to(1003, 5);
  CHECK(column[1002] == 5);
  column.fill_to(3, 9);
  CHECK(column.size() == 1003);
}
