#include "query/function_tree.h"

#include <map>

#include "support/catch.h"

using namespace hearth::query;

namespace {

// Folded stacks, as "a;b;c" -> value, to a tree.
FunctionTree tree_of(const std::map<std::string, int64_t>& stacks) {
  LooseTree loose{{0}, {0}, {0}, {""}};
  std::map<std::pair<uint32_t, std::string>, uint32_t> nodes;
  static std::map<std::string, std::string> texts;  // Keeps the views alive.
  for (const auto& [stack, value] : stacks) {
    uint32_t at = 0;
    for (size_t pos = 0; pos <= stack.size();) {
      const size_t end = std::min(stack.find(';', pos), stack.size());
      const std::string frame = stack.substr(pos, end - pos);
      pos = end + 1;
      const auto [it, is_new] =
          nodes.try_emplace({at, frame}, static_cast<uint32_t>(loose.parent.size()));
      if (is_new) {
        const std::string_view text = texts.try_emplace(frame, frame).first->second;
        auto name = std::find(loose.names.begin(), loose.names.end(), text);
        if (name == loose.names.end()) name = loose.names.insert(loose.names.end(), text);
        loose.parent.push_back(at);
        loose.name.push_back(static_cast<uint32_t>(name - loose.names.begin()));
        loose.self.push_back(0);
      }
      at = it->second;
    }
    loose.self[at] += value;
  }
  return canonical_tree(loose);
}

std::map<std::string, int64_t> stacks_of(const FunctionTree& tree) {
  std::map<std::string, int64_t> stacks;
  std::vector<std::string> path(tree.size());
  for (size_t i = 1; i < tree.size(); ++i) {
    const std::string& up = path[tree.parent[i]];
    path[i] = up.empty() ? tree.names[tree.name[i]] : up + ";" + tree.names[tree.name[i]];
    if (tree.self[i] != 0) stacks[path[i]] = tree.self[i];
  }
  return stacks;
}

}  // namespace

TEST_CASE("a tree is in preorder with children by name and exact totals", "[query]") {
  const FunctionTree tree = tree_of({{"a;c;d", 1}, {"a;b;e", 1}, {"a;c", 2}, {"B", 5}});
  std::vector<std::string> names;
  for (const uint32_t n : tree.name) names.push_back(tree.names[n]);
  CHECK(names == std::vector<std::string>{"", "B", "a", "b", "e", "c", "d"});
  CHECK(tree.parent == std::vector<uint32_t>{0, 0, 0, 2, 3, 2, 5});
  CHECK(tree.depth == std::vector<uint32_t>{0, 1, 1, 2, 3, 2, 3});
  CHECK(tree.total == std::vector<int64_t>{9, 5, 4, 1, 1, 3, 1});
  CHECK(tree.self == std::vector<int64_t>{0, 5, 0, 0, 1, 2, 1});
  CHECK(std::is_sorted(tree.names.begin(), tree.names.end()));
}

TEST_CASE("paths without value and their names do not exist", "[query]") {
  const FunctionTree tree = tree_of({{"a;b", 0}, {"c", 1}});
  CHECK(tree.size() == 2);
  CHECK(tree.names == std::vector<std::string>{"", "c"});
  CHECK(canonical_tree({}).size() == 1);
}

TEST_CASE("totals hold at the ends of int64", "[query]") {
  const FunctionTree tree = tree_of({{"a;b", INT64_MAX}, {"a;c", 5}});
  CHECK(tree.total[0] == INT64_MAX);
}

TEST_CASE("the threshold is the N-th largest total", "[query]") {
  const FunctionTree tree =
      tree_of({{"a;b;e", 1}, {"a;c", 2}, {"a;c;d", 1}});  // Totals 4, 3, 1, 1, 1.
  CHECK(tree.threshold(0) == 0);
  CHECK(tree.threshold(-1) == 0);
  CHECK(tree.threshold(5) == 0);
  CHECK(tree.threshold(4) == 1);
  CHECK(tree.threshold(2) == 3);
  CHECK(tree.threshold(1) == 4);
  CHECK(empty_function_tree().threshold(1) == 0);
}

TEST_CASE("a cut keeps a real node called other and adds to it", "[query]") {
  const FunctionTree tree = tree_of({{"a;b", 9}, {"a;other;deep", 2}, {"a;z", 1}, {"tiny", 1}});
  CHECK(stacks_of(tree.cut(3)) ==
        std::map<std::string, int64_t>{
            {"a;b", 9}, {"a;other", 1}, {"a;other;other", 2}, {"other", 1}});
}

TEST_CASE("the worked example of the reference is cut to three nodes", "[query]") {
  const FunctionTree tree = tree_of(
      {{"a;b;x", 1}, {"a;b;y", 1}, {"a;b;z", 1}, {"a;c", 1}, {"a;d", 1}, {"a1;e", 2}, {"a1;f", 2}});
  const FunctionTree cut = tree.cut(tree.threshold(3));
  CHECK(stacks_of(cut) ==
        std::map<std::string, int64_t>{{"a;b;other", 3}, {"a;other", 2}, {"a1;other", 4}});
  CHECK(cut.total[0] == 9);
}

TEST_CASE("a function's total counts recursion once per path", "[query]") {
  const FunctionTree tree =
      tree_of({{"walk;walk;leaf", 3}, {"walk", 1}, {"main;walk;walk", 5}, {"leaf", 2}});
  const auto rows = function_table(tree);
  std::map<std::string, std::pair<int64_t, int64_t>> found;
  for (const FunctionRow& row : rows) found[tree.names[row.name]] = {row.self, row.total};
  CHECK(found == std::map<std::string, std::pair<int64_t, int64_t>>{
                     {"walk", {6, 9}}, {"leaf", {5, 5}}, {"main", {0, 5}}});
  CHECK(tree.names[rows[0].name] == "walk");
}
