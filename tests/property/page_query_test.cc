// Trees and tables of the page against brute force over the stacks of a random function tree.
//
// Strategy:   random stacks of few names, so that recursion and equal names in many places are
// common. Invariants: 1. level of detail: every sent frame's value is exact, folded children hold
// the rest, no more frames than the cap;
//             2. inverted trees are the tree of reversed stacks;
//             3. a sandwich splits each stack at its outermost occurrence of the function;
//             4. matched values are unions over stacks.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "query/function_search.h"
#include "query/page_tree.h"
#include "support/catch.h"
#include "support/profile_gen.h"

using namespace hearth::query;
using hearth::test::Dice;

namespace {

using Path = std::vector<std::string>;
using Values = std::map<Path, int64_t>;  // By stack (self) or by path (total).

const std::vector<std::string> kNames = {"a", "b", "c", "walk", "other", "", "main.x", "Z"};

Values random_stacks(Dice& dice) {
  Values stacks;
  const size_t count = dice.below(40);
  for (size_t i = 0; i < count; ++i) {
    Path path(1 + dice.below(7));
    for (auto& frame : path) frame = kNames[dice.skewed(kNames.size())];
    stacks[path] += static_cast<int64_t>(1 + dice.skewed(5000));
  }
  return stacks;
}

FunctionTree tree_of(const Values& stacks) {
  LooseTree loose{{0}, {0}, {0}, {""}};
  for (const auto& name : kNames) {
    if (!name.empty()) loose.names.push_back(name);
  }
  std::map<std::pair<uint32_t, uint32_t>, uint32_t> nodes;
  for (const auto& [path, value] : stacks) {
    uint32_t at = 0;
    for (const auto& frame : path) {
      const auto name = static_cast<uint32_t>(
          std::find(loose.names.begin(), loose.names.end(), frame) - loose.names.begin());
      const auto [it, is_new] =
          nodes.try_emplace({at, name}, static_cast<uint32_t>(loose.parent.size()));
      if (is_new) {
        loose.parent.push_back(at);
        loose.name.push_back(name);
        loose.self.push_back(0);
      }
      at = it->second;
    }
    loose.self[at] += value;
  }
  return canonical_tree(loose);
}

// Totals of every path, the empty one included.
Values totals_of(const Values& stacks) {
  Values totals{{Path{}, 0}};
  for (const auto& [path, value] : stacks) {
    for (size_t n = 0; n <= path.size(); ++n)
      totals[Path(path.begin(), path.begin() + static_cast<long>(n))] += value;
  }
  return totals;
}

// Checks the page's tree against the totals that its frames must have; `root` is the path of its
// root.
void check_page(const FunctionTree& tree, const PageTree& page, const Values& totals, uint64_t cap,
                bool min_given) {
  REQUIRE(page.frames == totals.size());
  REQUIRE(page.total == totals.at({}));
  std::vector<int64_t> total(page.self);
  std::vector<uint32_t> parent(page.size(), 0), last{0};
  for (uint32_t i = 1; i < page.size(); ++i) {
    REQUIRE(page.depth[i] >= 1);
    REQUIRE(page.depth[i] <= last.size());
    last.resize(page.depth[i]);
    parent[i] = last.back();
    REQUIRE_FALSE(page.folded[parent[i]]);
    last.push_back(i);
  }
  for (size_t i = page.size(); i-- > 1;) total[parent[i]] += total[i];
  std::vector<Path> path(page.size());
  Values sent{{Path{}, total[0]}};
  std::map<uint32_t, uint32_t> previous;  // Last sibling seen.
  for (uint32_t i = 1; i < page.size(); ++i) {
    if (const auto it = previous.find(parent[i]); it != previous.end()) {
      const uint32_t p = it->second;
      REQUIRE_FALSE(page.folded[p]);
      if (!page.folded[i])
        REQUIRE((total[p] > total[i] || (total[p] == total[i] && page.name[p] < page.name[i])));
    }
    previous[parent[i]] = i;
    if (page.folded[i]) {
      REQUIRE(page.name[i] == 0);
      continue;
    }
    path[i] = path[parent[i]];
    path[i].push_back(tree.names[page.name[i]]);
    sent[path[i]] = total[i];
  }
  Values want;
  for (const auto& [p, value] : totals) {
    if (p.empty() || value >= page.min) want[p] = value;
  }
  REQUIRE(sent == want);
  REQUIRE(sent.size() <= std::max<uint64_t>(1, cap));
  // The level is raised no further than it must be.
  if (!min_given && page.min > default_min(page.total)) {
    const auto at_less = std::count_if(totals.begin(), totals.end(), [&](const auto& e) {
      return !e.first.empty() && e.second >= page.min - 1;
    });
    REQUIRE(static_cast<uint64_t>(at_less) + 1 > cap);
  }
}

DetailOptions random_detail(Dice& dice) {
  DetailOptions options;
  if (dice.percent(50)) options.min = static_cast<int64_t>(dice.below(3000));
  options.cap = dice.percent(50) ? 1 + dice.below(30) : 100'000;
  return options;
}

}  // namespace

TEST_CASE("a subtree's level of detail is exact", "[property]") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    Dice dice(seed);
    const Values stacks = random_stacks(dice);
    const FunctionTree tree = tree_of(stacks);
    const Values all = totals_of(stacks);
    const Path root = std::next(all.begin(), static_cast<long>(dice.below(all.size())))->first;
    const uint32_t node = find_path(tree, root);
    REQUIRE(node != kNoNode);
    Values below;
    for (const auto& [path, value] : all) {
      if (path.size() >= root.size() && std::equal(root.begin(), root.end(), path.begin())) {
        below[Path(path.begin() + static_cast<long>(root.size()), path.end())] = value;
      }
    }
    const DetailOptions options = random_detail(dice);
    check_page(tree, level_of_detail(subtree(tree, node), options), below, options.cap,
               options.min.has_value());
    REQUIRE(find_path(tree, {"no such frame"}) == kNoNode);
  }
}

TEST_CASE("an inverted tree is the tree of reversed stacks", "[property]") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    Dice dice(seed);
    const Values stacks = random_stacks(dice);
    const FunctionTree tree = tree_of(stacks);
    Values reversed;
    for (const auto& [path, value] : stacks) reversed[Path(path.rbegin(), path.rend())] = value;
    const Values all = totals_of(reversed);
    const Path root = std::next(all.begin(), static_cast<long>(dice.below(all.size())))->first;
    Values below;
    for (const auto& [path, value] : all) {
      if (path.size() >= root.size() && std::equal(root.begin(), root.end(), path.begin())) {
        below[Path(path.begin() + static_cast<long>(root.size()), path.end())] = value;
      }
    }
    const DetailOptions options = random_detail(dice);
    const auto inverse = inverted(tree, root, options.min);
    REQUIRE(inverse);
    check_page(tree, level_of_detail(*inverse, options), below, options.cap,
               options.min.has_value());
    REQUIRE_FALSE(inverted(tree, {"no such frame"}, 1));
  }
}

TEST_CASE("a sandwich splits stacks at the outermost occurrence", "[property]") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    Dice dice(seed);
    const Values stacks = random_stacks(dice);
    const FunctionTree tree = tree_of(stacks);
    const std::string fn = kNames[dice.skewed(kNames.size())];
    Values callers, callees;
    std::set<Path> sites;
    int64_t total = 0, self = 0;
    bool recursive = false;
    for (const auto& [path, value] : stacks) {
      const auto at = std::find(path.begin(), path.end(), fn);
      if (at == path.end()) continue;
      callers[Path(std::make_reverse_iterator(at), path.rend())] += value;
      callees[Path(at + 1, path.end())] += value;
      sites.emplace(path.begin(), at);
      total += value;
      if (path.back() == fn) self += value;
      recursive = recursive || std::find(at + 1, path.end(), fn) != path.end();
    }
    const DetailOptions options = random_detail(dice);
    const auto got = sandwich(tree, fn, options.min);
    REQUIRE(got.has_value() == !sites.empty());
    if (!got) continue;
    REQUIRE(got->total == total);
    REQUIRE(got->self == self);
    REQUIRE(got->paths == sites.size());
    REQUIRE(got->recursive == recursive);
    REQUIRE(tree.names[got->callers.name[0]] == fn);
    REQUIRE(tree.names[got->callees.name[0]] == fn);
    check_page(tree, level_of_detail(got->callers, options), totals_of(callers), options.cap,
               options.min.has_value());
    check_page(tree, level_of_detail(got->callees, options), totals_of(callees), options.cap,
               options.min.has_value());
  }
}

TEST_CASE("a search counts the union of stacks", "[property]") {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    INFO("seed " << seed);
    Dice dice(seed);
    const Values stacks = random_stacks(dice);
    const FunctionTree tree = tree_of(stacks);
    const Values all = totals_of(stacks);
    const Path root = std::next(all.begin(), static_cast<long>(dice.below(all.size())))->first;
    static const char* kPatterns[] = {"walk", "/^[ab]$/", "A,z", "main,other", "nothing"};
    FunctionQuery query;
    query.pattern = *NamePattern::parse(kPatterns[dice.below(std::size(kPatterns))]);
    query.node = find_path(tree, root);
    query.limit = 1 + dice.below(5);
    query.sort = *FunctionSort::parse(dice.percent(50) ? "-total" : "name");
    Matched want;
    want.path_value = all.at(root);
    std::set<std::string> functions, matched;
    for (const auto& [path, value] : stacks) {
      bool hit = false;
      for (const auto& frame : path) {
        functions.insert(frame);
        if (query.pattern->matches(frame)) matched.insert(frame), hit = true;
      }
      const bool inside =
          path.size() >= root.size() && std::equal(root.begin(), root.end(), path.begin());
      if (hit) want.value += value;
      if (hit && inside) want.in_path += value;
    }
    const FunctionPage page = function_page(tree, query);
    REQUIRE(page.matched);
    REQUIRE(page.functions == functions.size());
    REQUIRE(page.rows_total == matched.size());
    REQUIRE(page.matched->functions == matched.size());
    REQUIRE(page.matched->value == want.value);
    REQUIRE(page.matched->path_value == want.path_value);
    REQUIRE(page.matched->in_path == want.in_path);
    REQUIRE(page.rows.size() == std::min<size_t>(matched.size(), query.limit));
    for (size_t i = 1; i < page.rows.size(); ++i) {
      const FunctionRow& a = page.rows[i - 1];
      const FunctionRow& b = page.rows[i];
      if (query.sort.by == FunctionSort::By::name) {
        REQUIRE(tree.names[a.name] < tree.names[b.name]);
      } else {
        REQUIRE(a.total >= b.total);
      }
    }
  }
}
