#include "query/sorted_tree.h"

#include <map>
#include <string>
#include <vector>

#include "query/projection.h"
#include "support/catch.h"
#include "support/function_stacks.h"
#include "support/profile_gen.h"

using namespace hearth;
using namespace hearth::query;

namespace {

using test::Stacks;

// Views point into `stacks`.
SortedTree tree_of(const Stacks& stacks) {
  std::map<std::string_view, uint32_t> numbers{{"", 0}};
  for (const auto& [stack, value] : stacks) {
    for (const std::string& frame : stack) numbers[frame] = 0;
  }
  SortedTree tree;
  tree.labels.clear();
  for (auto& [text, number] : numbers) {
    number = static_cast<uint32_t>(tree.labels.size());
    tree.labels.push_back(text);
  }
  const std::vector<std::string> none;
  const std::vector<std::string>* last = &none;
  for (const auto& [stack, value] : stacks) {
    size_t d = 0;
    while (d < last->size() && d < stack.size() && (*last)[d] == stack[d]) ++d;
    if (stack.empty()) tree.self[0] = value;
    for (; d < stack.size(); ++d) {
      tree.depth.push_back(static_cast<uint32_t>(d + 1));
      tree.label.push_back(numbers[stack[d]]);
      tree.self.push_back(d + 1 == stack.size() ? value : 0);
    }
    last = &stack;
  }
  return tree;
}

Stacks random_stacks(test::Dice& dice) {
  static const std::vector<std::string> kNames = {"", "a", "ab", "b", "main", "zz"};
  Stacks stacks;
  for (size_t i = dice.below(20); i-- > 0;) {
    std::vector<std::string> stack(dice.below(5));
    for (auto& frame : stack) frame = kNames[dice.below(kNames.size())];
    stacks[stack] += static_cast<int64_t>(dice.below(10)) - 2;
  }
  return stacks;
}

Stacks all_of(const FunctionTree& tree) {
  Stacks stacks = test::stacks_of(tree);
  if (tree.without_stack != 0) stacks[{}] = tree.without_stack;
  return stacks;
}

}  // namespace

TEST_CASE("merged trees hold the sums of their stacks in canonical order", "[query]") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    test::Dice dice(seed);
    // Now and then so many that they are merged in several rounds.
    std::vector<Stacks> given(1 + dice.below(seed % 100 == 7 ? 1500 : 6));
    Stacks want;
    MemoryAccountant memory(1U << 30U);
    TreeMerger merger(memory);
    for (Stacks& stacks : given) {
      stacks = random_stacks(dice);
      for (const auto& [stack, value] : stacks) want[stack] += value;
      REQUIRE(merger.add(tree_of(stacks)));
    }
    const FunctionTree tree = *merger.finish();
    // A subtree that comes to nothing is left out, whatever is in it.
    const FunctionTree alone = to_function_tree(tree_of(want));
    CHECK(tree.parent == alone.parent);
    CHECK(tree.depth == alone.depth);
    CHECK(tree.self == alone.self);
    CHECK(tree.total == alone.total);
    CHECK(tree.names == alone.names);
    CHECK(tree.name == alone.name);
    CHECK(tree.without_stack == alone.without_stack);
    CHECK(std::is_sorted(tree.names.begin(), tree.names.end()));
    for (size_t i = 1; i < tree.size(); ++i) {
      CHECK(tree.parent[i] < i);
      CHECK(tree.total[i] != 0);
    }
  }
}

TEST_CASE("merging into nothing, and nothing at all, are trees", "[query]") {
  MemoryAccountant memory(1U << 20U);
  CHECK(TreeMerger(memory).finish()->size() == 1);
  const Stacks stacks{{{}, 3}, {{"a"}, 1}, {{"a", "b"}, 2}};
  CHECK(all_of(to_function_tree(merge_sorted({SortedTree(), tree_of(stacks)}))) == stacks);
  CHECK(all_of(to_function_tree(merge_sorted({tree_of(stacks), SortedTree()}))) == stacks);
}

TEST_CASE("a merge that does not fit the memory limit is refused and charges nothing", "[query]") {
  const Stacks stacks{{{"a"}, 1}, {{"a", "b"}, 2}};
  MemoryAccountant memory(64);
  {
    TreeMerger merger(memory);
    CHECK(merger.add(tree_of(stacks)).error().code == ErrorCode::unavailable);
  }
  CHECK(memory.used() == 0);
}

TEST_CASE("texts are numbered in their order, equal ones alike, empty ones 0", "[query]") {
  const std::vector<std::string_view> texts = {"b", "", "a", "b", "c"};
  const TextOrder order = order_texts(texts);
  CHECK(order.number == std::vector<uint32_t>{2, 0, 1, 2, 3});
  REQUIRE(order.first.size() == 3);
  CHECK(texts[order.first[1]] == "b");
}
