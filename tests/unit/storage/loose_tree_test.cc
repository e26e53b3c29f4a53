#include "storage/loose_tree.h"

#include <map>
#include <random>
#include <utility>

#include "support/catch.h"

namespace hearth::storage {
namespace {

TEST_CASE("a node is found by parent and label, however many siblings it has", "[merge]") {
  for (const uint32_t labels : {2U, 8U, 9U, 300U}) {
    std::mt19937 random(labels);
    LooseTree tree(0);
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> model;
    for (int i = 0; i < 5'000; ++i) {
      const uint32_t parent = static_cast<uint32_t>(random() % tree.size()) / 2;
      const auto label = static_cast<uint32_t>(random() % labels);
      const auto next = static_cast<uint32_t>(model.size() + 1);
      const auto [it, added] = model.try_emplace({parent, label}, next);
      REQUIRE(tree.find_or_add(parent, label) == it->second);
    }
    REQUIRE(tree.size() == model.size() + 1);
    const auto parents = tree.parents();
    const auto of = tree.labels();
    for (const auto& [key, node] : model) CHECK(std::pair(parents[node], of[node]) == key);
  }
}

TEST_CASE("label 0 is a label of its own", "[merge]") {
  LooseTree tree(0);
  const uint32_t child = tree.find_or_add(0, 0);
  CHECK(child == 1);
  CHECK(tree.find_or_add(0, 0) == child);
  CHECK(tree.find_or_add(child, 0) == 2);
}

}  // namespace
}  // namespace hearth::storage
