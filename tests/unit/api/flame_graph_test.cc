#include "api/flame_graph.h"

#include <map>

#include "api/flame_diff.h"
#include "querier.pb.h"
#include "support/catch.h"

using namespace hearth;
using Levels = std::vector<std::vector<int64_t>>;
using Names = std::vector<std::string_view>;

namespace {

/// A tree from folded stacks, root first: {"a;b", 3}.
query::FunctionTree tree_of(const std::vector<std::pair<std::string, int64_t>>& stacks) {
  query::LooseTree loose{.parent = {0}, .name = {0}, .self = {0}, .names = {""}};
  static std::vector<std::unique_ptr<std::string>> texts;
  std::map<std::pair<uint32_t, std::string>, uint32_t> nodes;
  std::map<std::string, uint32_t> names;
  for (const auto& [stack, value] : stacks) {
    uint32_t node = 0;
    for (size_t begin = 0; begin <= stack.size();) {
      const size_t end = std::min(stack.find(';', begin), stack.size());
      const std::string frame = stack.substr(begin, end - begin);
      begin = end + 1;
      if (!names.contains(frame)) {
        texts.push_back(std::make_unique<std::string>(frame));
        names[frame] = static_cast<uint32_t>(loose.names.size());
        loose.names.push_back(*texts.back());
      }
      const auto [it, is_new] =
          nodes.try_emplace({node, frame}, static_cast<uint32_t>(loose.parent.size()));
      if (is_new) {
        loose.parent.push_back(node);
        loose.name.push_back(names[frame]);
        loose.self.push_back(0);
      }
      node = it->second;
    }
    loose.self[node] += value;
  }
  return query::canonical_tree(loose);
}

}  // namespace

TEST_CASE("a flame graph lists levels left to right and names in order of the walk", "[api]") {
  const auto tree = tree_of({{"a;b;e", 1}, {"a;c", 2}, {"a;c;d", 1}});
  const auto graph = api::flame_graph(tree, 0);
  CHECK(graph.names == Names{"total", "a", "c", "d", "b", "e"});
  CHECK(graph.levels ==
        Levels{{0, 4, 0, 0}, {0, 4, 0, 1}, {0, 1, 0, 4, 0, 3, 2, 2}, {0, 1, 1, 5, 2, 1, 1, 3}});
  CHECK(graph.total == 4);
  CHECK(graph.max_self == 2);
}

TEST_CASE("a flame graph of nothing is one bar named total", "[api]") {
  const auto graph = api::flame_graph(query::empty_function_tree(), 0);
  CHECK(graph.names == Names{"total"});
  CHECK(graph.levels == Levels{{0, 0, 0, 0}});
  std::string json;
  api::append_proto_json(json, graph);
  CHECK(json == R"({"names":["total"],"levels":[{"values":["0","0","0","0"]}]})");
}

TEST_CASE("a function named total shares the name of the root", "[api]") {
  const auto graph = api::flame_graph(tree_of({{"total;x", 1}}), 0);
  CHECK(graph.names == Names{"total", "x"});
  CHECK(graph.levels[1] == std::vector<int64_t>{0, 1, 0, 0});
}

TEST_CASE("children under the threshold become one last bar named other", "[api]") {
  const auto tree = tree_of({{"a;b", 1}, {"a;c", 9}, {"a;d", 2}});
  const auto graph = api::flame_graph(tree, 5);
  CHECK(graph.names == Names{"total", "a", "other", "c"});
  CHECK(graph.levels[2] == std::vector<int64_t>{0, 9, 9, 3, 0, 3, 3, 2});
}

TEST_CASE("frames named other stay apart from what was folded", "[api]") {
  const auto graph = api::flame_graph(tree_of({{"a;other;x", 9}, {"a;b", 1}}), 5);
  CHECK(graph.names == Names{"total", "a", "other", "x"});
  CHECK(graph.levels[2] == std::vector<int64_t>{0, 9, 0, 2, 0, 1, 1, 2});
  CHECK(graph.levels[3] == std::vector<int64_t>{0, 9, 9, 3});
}

TEST_CASE("protojson of a flame graph is what protobuf reads back", "[api]") {
  const auto graph = api::flame_graph(tree_of({{"a\"\n;b", 3}}), 0);
  std::string json;
  api::append_proto_json(json, graph);
  CHECK(
      json ==
      R"({"names":["total","a\"\n","b"],"levels":[{"values":["0","3","0","0"]},{"values":["0","3","0","1"]},)"
      R"({"values":["0","3","3","2"]}],"total":"3","maxSelf":"3"})");
  querier::v1::FlameGraph message;
  api::to_proto(graph, message);
  CHECK(message.levels(2).values(3) == 2);
  CHECK(message.max_self() == 3);
}

TEST_CASE("tree bytes write the last child first", "[api]") {
  const auto bytes = api::tree_bytes(tree_of({{"a;b", 1}, {"a;c", 200}}));
  CHECK(bytes == std::string("\0\0\1"
                             "\1a\0\2"
                             "\1c\xc8\1\0"
                             "\1b\1\0",
                             16));
  CHECK(api::tree_bytes(query::empty_function_tree()).empty());
}

TEST_CASE("a differential flame graph aligns both sides by name", "[api]") {
  const auto left = tree_of({{"a;b", 1}, {"a;c", 2}});
  const auto right = tree_of({{"a;b", 4}, {"a;c", 8}});
  const auto diff = api::flame_diff(left, right, 0);
  CHECK(diff.names == Names{"total", "a", "c", "b"});
  CHECK(diff.levels == Levels{{0, 3, 0, 0, 12, 0, 0},
                              {0, 3, 0, 0, 12, 0, 1},
                              {0, 1, 1, 0, 4, 4, 3, 0, 2, 2, 0, 8, 8, 2}});
  CHECK(diff.total() == 15);
  CHECK(diff.max_self == 8);
}

TEST_CASE("a differential flame graph of two nodes folds the rest", "[api]") {
  const auto left = tree_of({{"a;b", 1}, {"a;c", 2}});
  const auto right = tree_of({{"a;b", 4}, {"a;c", 8}});
  const auto diff = api::flame_diff(left, right, 2);
  CHECK(diff.names == Names{"total", "a", "other"});
  CHECK(diff.max_self == 12);
}

TEST_CASE("a side without data is zeros", "[api]") {
  const auto left = tree_of({{"a", 1}});
  const auto right = query::empty_function_tree();
  const auto diff = api::flame_diff(left, right, 0);
  CHECK(diff.levels == Levels{{0, 1, 0, 0, 0, 0, 0}, {0, 1, 1, 0, 0, 0, 1}});
  CHECK(api::flame_diff(right, right, 0).levels == Levels{{0, 0, 0, 0, 0, 0, 0}});
}

TEST_CASE("a tree is cut once: what was folded does not push out what stays", "[api]") {
  // Ten children of different size: four nodes are a, k, j and i; `other` comes on top.
  std::vector<std::pair<std::string, int64_t>> stacks;
  for (int i = 0; i < 10; ++i)
    stacks.emplace_back(std::string("a;") + static_cast<char>('b' + i), i + 1);
  const auto tree = tree_of(stacks);
  const auto graph = api::flame_graph(tree, tree.threshold(4));
  CHECK(graph.names == Names{"total", "a", "other", "k", "j", "i"});
  CHECK(tree.threshold(100) == 0);
}

TEST_CASE("a leaf named other joins what was folded", "[api]") {
  const auto graph = api::flame_graph(tree_of({{"a;other", 2}, {"a;z", 9}, {"a;b", 1}}), 5);
  CHECK(graph.names == Names{"total", "a", "other", "z"});
  CHECK(graph.levels[2] == std::vector<int64_t>{0, 9, 9, 3, 0, 3, 3, 2});
}
