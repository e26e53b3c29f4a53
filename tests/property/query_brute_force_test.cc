// Every answer of the query engine against brute force over the profiles as they were given.
//
// Strategy:   seeded random profiles with few names (equal names in different files, recursion,
//             inlined lines, locations without lines, empty stacks, sizes as labels), services,
//             labels and times; on plain columns with many cuts, on the real store with seals and
//             deletions, and on segments with and without rollups.
// Invariants: 1. trees, tables, series, labels and merged profiles equal sums over maps of strings;
//             2. neither the order of datasets, nor a seal, nor a warm cache change a byte;
//             3. neither do helping threads, however a merge is split among them;
//             4. a cut keeps exactly the nodes at or above the threshold, and `other` is the sum of
//                the rest.
#include "query_world.h"
#include "support/function_stacks.h"

using namespace hearth;
using namespace hearth::query;
using namespace hearth::query::brute_force;
using hearth::test::Stacks;
using hearth::test::stacks_of;

TEST_CASE("trees of spans and traces equal brute force, in any order of datasets", "[property]") {
  size_t found = 0;
  for (uint64_t seed = kDictionarySeeds - 100; seed < kStoredSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    const bool by_span = c.dice.percent(50);
    const uint64_t id = 1 + c.dice.below(by_span ? 4 : 3);  // The last one is nobody's.
    if (by_span) c.query.side.spans = {id};
    if (!by_span) c.query.side.traces = {{0, id}, {7, 7}};
    Stacks want;
    int64_t without = 0;
    c.selected(c.query.range, [&](const Given& g, size_t t) {
      for (const ProfileBatch::SideData& side : g.batch.samples.side) {
        const int64_t value = g.batch.value(side.sample, t);
        if (value == 0 || (by_span ? side.span_id : side.trace_id_lo) != id) continue;
        const auto frames = frames_of(g.batch, side.sample);
        if (frames.empty()) {
          without += value;
        } else {
          want[frames] += value;
        }
      }
    });
    found += want.size();
    for (int round = 0; round < 2; ++round) {
      const auto got = c.engine.merge_tree(c.query, {});
      REQUIRE(got);
      check_shape(got->tree);
      REQUIRE(stacks_of(got->tree) == want);
      REQUIRE(got->tree.without_stack == without);
      REQUIRE(same(c.threaded.merge_tree(c.query, {})->tree, got->tree));
      REQUIRE(same(c.engine.merge_placed_tree(c.query, {})->tree, got->tree));
      c.world->disturb();
    }
  }
  CHECK(found > 100);
}

TEST_CASE("merged trees and their tables equal brute force, in any order of datasets",
          "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    Stacks want;
    int64_t without = 0;
    std::map<std::string, std::pair<int64_t, int64_t>> table;
    c.selected(c.query.range, [&](const Given& g, size_t t) {
      for (size_t s = 0; s < g.batch.samples.size(); ++s) {
        const auto frames = frames_of(g.batch, s);
        const int64_t value = g.batch.value(s, t);
        if (value == 0) continue;
        if (frames.empty()) {
          without += value;
          continue;
        }
        want[frames] += value;
        table[frames.back()].first += value;
        for (const auto& f : std::set<std::string>(frames.begin(), frames.end()))
          table[f].second += value;
      }
    });
    const auto got = c.engine.merge_tree(c.query, {});
    REQUIRE(got);
    check_shape(got->tree);
    REQUIRE(stacks_of(got->tree) == want);
    REQUIRE(got->tree.without_stack == without);
    std::map<std::string, std::pair<int64_t, int64_t>> rows;
    for (const FunctionRow& r : function_table(got->tree))
      rows[got->tree.names[r.name]] = {r.self, r.total};
    REQUIRE(rows == table);
    REQUIRE(same(c.threaded.merge_tree(c.query, {})->tree, got->tree));
    c.world->disturb();
    REQUIRE(same(c.engine.merge_tree(c.query, {})->tree, got->tree));
    const auto placed = c.engine.merge_placed_tree(c.query, {});
    REQUIRE(same(placed->tree, got->tree));
    const auto placed_by_threads = c.threaded.merge_placed_tree(c.query, {});
    REQUIRE(same(placed_by_threads->tree, got->tree));
    REQUIRE(placed_by_threads->places == placed->places);

    if (!want.empty()) {
      const auto& some =
          std::next(want.begin(), static_cast<long>(c.dice.below(want.size())))->first;
      c.query.call_site.assign(some.begin(),
                               some.begin() + static_cast<long>(1 + c.dice.below(some.size())));
      std::erase_if(want, [&](const auto& entry) {
        const auto& frames = entry.first;
        return frames.size() < c.query.call_site.size() ||
               !std::equal(c.query.call_site.begin(), c.query.call_site.end(), frames.begin());
      });
      REQUIRE(stacks_of(c.engine.merge_tree(c.query, {})->tree) == want);
    }
  }
}

TEST_CASE("a cut keeps exactly what reaches the threshold and other is the rest", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    const FunctionTree tree = c.engine.merge_tree(c.query, {})->tree;
    const auto max_nodes = static_cast<int64_t>(1 + c.dice.below(tree.size() + 3));
    const int64_t threshold = tree.threshold(max_nodes);
    const auto reaching = static_cast<int64_t>(std::count_if(
        tree.total.begin() + 1, tree.total.end(), [&](int64_t v) { return v >= threshold; }));
    if (static_cast<int64_t>(tree.size()) - 1 > max_nodes) {
      const auto above = static_cast<int64_t>(std::count_if(
          tree.total.begin() + 1, tree.total.end(), [&](int64_t v) { return v > threshold; }));
      REQUIRE(reaching >= max_nodes);
      REQUIRE(above < max_nodes);
    } else {
      REQUIRE(threshold == 0);
    }
    const FunctionTree cut = tree.cut(threshold);
    check_shape(cut);
    REQUIRE(cut.total[0] == tree.total[0]);
    // Totals by path: what stays is unchanged but for `other`; under each node that stays, `other`
    // grows by the rest.
    const auto by_path = [](const FunctionTree& t) {
      std::map<std::vector<std::string>, int64_t> totals;
      std::vector<std::vector<std::string>> path(t.size());
      for (size_t i = 1; i < t.size(); ++i) {
        path[i] = path[t.parent[i]];
        path[i].push_back(t.names[t.name[i]]);
        totals[path[i]] = t.total[i];
      }
      return totals;
    };
    const auto before = by_path(tree);
    std::map<std::vector<std::string>, int64_t> want;
    const auto stays = [&](const std::vector<std::string>& path) {
      for (size_t n = 1; n <= path.size(); ++n) {
        const std::vector<std::string> prefix(path.begin(), path.begin() + static_cast<long>(n));
        if (before.at(prefix) < threshold && prefix.back() != "other") return false;
      }
      return true;
    };
    for (const auto& [path, value] : before) {
      std::vector<std::string> up(path.begin(), path.end() - 1);
      if (stays(path)) {
        want[path] += value;
      } else if (stays(up)) {
        up.emplace_back("other");
        want[up] += value;
      }
    }
    REQUIRE(by_path(cut) == want);
  }
}
