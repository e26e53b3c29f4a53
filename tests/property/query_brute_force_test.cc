// Every answer of the query engine against brute force over the profiles as they were given.
//
// Strategy:   seeded random profiles with few names (equal names in different files, recursion,
//             inlined lines, locations without lines, empty stacks, sizes as labels), services,
//             labels and times; on plain columns with many cuts, on the real store with seals, and
//             on segments with and without rollups.
// Invariants: 1. trees, tables, series, labels and merged profiles equal sums over maps of strings;
//             2. neither the order of datasets, nor a seal, nor a warm cache change a byte;
//             3. neither do helping threads, however a merge is split among them;
//             4. a cut keeps exactly the nodes at or above the threshold, and `other` is the sum of
//                the rest.

#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "base/worker_pool.h"
#include "query/engine.h"
#include "support/catch.h"
#include "support/dictionary_store.h"
#include "support/function_stacks.h"
#include "support/profile_gen.h"
#include "support/segment_view.h"
#include "support/small_batch.h"
#include "support/store_model.h"
#include "support/symbol_text.h"

using namespace hearth;
using namespace hearth::query;
using hearth::test::Dice;
using hearth::test::SmallBatch;

namespace {

constexpr int64_t kMs = 1'000'000;
using test::Stacks;
using test::stacks_of;

struct Given {
  LabelSet series;
  ProfileBatch batch;
};

SmallBatch random_batch(Dice& dice) {
  static const std::vector<std::string> kNames = {"main", "walk",    "walk2", "other",
                                                  "",     "a.b/c.D", "zz",    "größe"};
  const bool heap = dice.percent(30);
  SmallBatch out = heap ? SmallBatch({"alloc_objects/count", "alloc_space/bytes"}, "space/bytes")
                        : SmallBatch({"samples/count", "cpu/nanoseconds"}, "cpu/nanoseconds");
  const size_t locations = 1 + dice.below(12);
  for (size_t l = 0; l < locations; ++l) {
    std::vector<SmallBatch::Line> lines(dice.percent(15) ? 0 : 1 + dice.skewed(3));
    for (auto& line : lines) {
      line = {kNames[dice.below(kNames.size())], dice.percent(30) ? "x.go" : "y.go",
              static_cast<int64_t>(dice.below(3))};
    }
    out.location(lines, dice.percent(20) ? 4096 + dice.below(3) : 0,
                 dice.percent(50) ? "/bin/shop" : "");
  }
  const size_t samples = dice.below(10);
  for (size_t s = 0; s < samples; ++s) {
    std::vector<uint32_t> frames(dice.percent(8) ? 0 : dice.below(7));
    for (auto& f : frames) f = static_cast<uint32_t>(dice.below(locations));
    const auto value = static_cast<int64_t>(1 + dice.skewed(1000));
    if (dice.percent(40)) {
      out.batch.samples.side.push_back(
          {static_cast<uint32_t>(s), dice.below(4), 0, dice.below(3), 0});
    }
    out.sample(frames, {value, dice.percent(10) ? 0 : value * 10}, dice.percent(20) ? 48 : 0);
  }
  return out;
}

// What the profiles are in. disturb() changes how they are stored, which must not change an answer.
class World {
 public:
  virtual ~World() = default;
  virtual storage::Store& store() = 0;
  virtual void append(const LabelSet& series, const ProfileBatch& batch) = 0;
  virtual void cut() = 0;
  virtual void disturb() = 0;
  std::vector<Given> given;

  void fill(uint64_t seed) {
    Dice dice(seed);
    const size_t profiles = 5 + dice.below(60);
    for (size_t p = 0; p < profiles; ++p) {
      SmallBatch batch = random_batch(dice);
      batch.at(static_cast<int64_t>(1'000'000 + dice.below(100'000)) * kMs +
               static_cast<int64_t>(dice.below(kMs)));
      LabelSet series;
      const bool cpu = batch.batch.strings[batch.batch.sample_types[0].type] == "samples";
      series.set("__name__", cpu ? "process_cpu" : "memory");
      series.set("service_name", dice.percent(60) ? "checkout" : "cart");
      if (dice.percent(70)) series.set("pod", "pod-" + std::to_string(dice.below(3)));
      if (dice.percent(30)) series.set("region", dice.percent(50) ? "eu" : "us");
      append(series, batch.batch);
      given.push_back({series, std::move(batch.batch)});
      if (dice.percent(10)) cut();
    }
  }
};

// Datasets over dictionaries, no storage: fast, so that many histories are tried.
class DictionaryWorld final : public World {
 public:
  storage::Store& store() override { return store_; }
  void append(const LabelSet& series, const ProfileBatch& batch) override {
    store_.append(series, batch);
  }
  void cut() override { store_.cut(); }
  void disturb() override { store_.reverse(); }

 private:
  test::DictionaryStore store_;
};

// The real store, head and segments.
class StoredWorld final : public World {
 public:
  storage::Store& store() override { return store_.store(); }
  void append(const LabelSet& series, const ProfileBatch& batch) override {
    std::vector<uint32_t> samples(batch.samples.size());
    std::iota(samples.begin(), samples.end(), 0U);
    const storage::AppendProfile profile{&series, &batch, samples, std::nullopt};
    REQUIRE(store().append(Tenant::anonymous(), std::span(&profile, 1)));
  }
  void cut() override { REQUIRE(store().seal()); }
  void disturb() override { REQUIRE(store().seal()); }

 private:
  test::StoreUnderTest store_;
};

// Segments as compaction makes them: with rollups, one group per pod. disturb() takes the rollups
// away.
class RolledUpWorld final : public World {
 public:
  storage::Store& store() override {
    if (view_.datasets().empty()) view_.fill(store_, true);
    return view_;
  }
  void append(const LabelSet& series, const ProfileBatch& batch) override {
    store_.append(series, batch);
  }
  void cut() override { store_.cut(); }
  void disturb() override { view_.fill(store_, false); }

 private:
  test::DictionaryStore store_;
  test::SegmentView view_;
};

constexpr uint64_t kDictionarySeeds = 300;
constexpr uint64_t kStoredSeeds = 340;  // Forty on the real store,
constexpr uint64_t kSeeds = 400;        // and sixty on segments with rollups.

std::unique_ptr<World> world_of(uint64_t seed) {
  std::unique_ptr<World> world;
  if (seed < kDictionarySeeds) {
    world = std::make_unique<DictionaryWorld>();
  } else if (seed < kStoredSeeds) {
    world = std::make_unique<StoredWorld>();
  } else {
    world = std::make_unique<RolledUpWorld>();
  }
  world->fill(seed);
  return world;
}

std::string type_id(const Given& g, size_t t) {
  const ProfileBatch& b = g.batch;
  const auto s = [&b](uint32_t i) { return std::string(b.strings[i]); };
  return std::string(g.series.get("__name__")) + ":" + s(b.sample_types[t].type) + ":" +
         s(b.sample_types[t].unit) + ":" + s(b.period_type.type) + ":" + s(b.period_type.unit);
}
int64_t total(const ProfileBatch& b, size_t t) {
  int64_t sum = 0;
  for (size_t s = 0; s < b.samples.size(); ++s) sum += b.value(s, t);
  return sum;
}
LabelSet virtual_labels(const Given& g, size_t t) {
  LabelSet all = g.series;
  const ProfileBatch& b = g.batch;
  all.set("__profile_type__", type_id(g, t));
  all.set("__type__", b.strings[b.sample_types[t].type]);
  all.set("__unit__", b.strings[b.sample_types[t].unit]);
  all.set("__period_type__", b.strings[b.period_type.type]);
  all.set("__period_unit__", b.strings[b.period_type.unit]);
  all.set("__service_name__", g.series.get("service_name"));
  return all;
}

// Calls f(profile, type) for everything that exists, matches and starts in the range.
template <class F>
void brute(const std::vector<Given>& given, const Selector& selector, TimeRange range, F f) {
  for (const Given& g : given) {
    for (size_t t = 0; t < g.batch.types(); ++t) {
      const bool inside = g.batch.time_ns >= range.start_ns && g.batch.time_ns <= range.end_ns;
      if (inside && total(g.batch, t) != 0 && selector.matches(virtual_labels(g, t))) f(g, t);
    }
  }
}

std::vector<std::string> frames_of(const ProfileBatch& b, size_t sample) {
  std::vector<std::string> names;
  const auto stack = b.stack(sample);
  for (size_t i = stack.size(); i-- > 0;) {
    for (uint32_t l = b.locations.line_begin[stack[i] + 1];
         l-- > b.locations.line_begin[stack[i]];) {
      names.emplace_back(b.strings[b.functions.name[b.lines.function[l]]]);
    }
  }
  return names;
}

void check_shape(const FunctionTree& tree) {
  std::vector<int64_t> sum = tree.self;
  std::set<std::pair<uint32_t, uint32_t>> children;
  for (size_t i = tree.size(); i-- > 1;) {
    REQUIRE(tree.parent[i] < i);
    REQUIRE(tree.depth[i] == tree.depth[tree.parent[i]] + 1);
    REQUIRE(children.emplace(tree.parent[i], tree.name[i]).second);
    sum[tree.parent[i]] += sum[i];
  }
  REQUIRE(sum == tree.total);
  REQUIRE(std::is_sorted(tree.names.begin(), tree.names.end()));
  for (size_t i = 2; i < tree.size(); ++i) REQUIRE(tree.depth[i] <= tree.depth[i - 1] + 1);
}

bool same(const FunctionTree& a, const FunctionTree& b) {
  return a.parent == b.parent && a.depth == b.depth && a.name == b.name && a.self == b.self &&
         a.total == b.total && a.names == b.names && a.without_stack == b.without_stack;
}

template <class T>
T value_of(Result<T> result) {
  REQUIRE(result);
  return *std::move(result);
}

struct Case {
  std::unique_ptr<World> world;
  MemoryAccountant memory{1 << 30};
  Engine engine;
  Engine threaded;
  Dice dice;
  ProfileQuery query;

  explicit Case(uint64_t seed)
      : world(world_of(seed)),
        engine({&world->store(), &memory, 1 << 20}),
        threaded({&world->store(), &memory, 1 << 20}),
        dice(seed + 1) {
    static WorkerPool helpers({.name = "helpers", .threads = 2});
    threaded.use_helpers(helpers, 2);
    static const char* kTypes[] = {
        "process_cpu:cpu:nanoseconds:cpu:nanoseconds", "process_cpu:samples:count:cpu:nanoseconds",
        "memory:alloc_space:bytes:space:bytes", "memory:alloc_objects:count::"};
    static const char* kSelectors[] = {"{}",
                                       R"({service_name="checkout"})",
                                       R"({pod=""})",
                                       R"({pod=~"pod-[01]",region!="eu"})",
                                       R"({__service_name__="cart"})",
                                       R"({__type__="cpu"})",
                                       R"({region="eu"})",
                                       R"({__profile_type__=~"process_cpu.*"})"};
    query.type = *ProfileType::parse(kTypes[dice.skewed(std::size(kTypes))]);
    query.selector = *Selector::parse(kSelectors[dice.below(std::size(kSelectors))]);
    const auto from = static_cast<int64_t>(1'000'000 + dice.below(60'000)) * kMs;
    if (dice.percent(70))
      query.range = {from, from + static_cast<int64_t>(dice.below(100'000)) * kMs};
  }
  template <class F>
  void selected(TimeRange range, F f) const {
    brute(world->given, query.selector, range, [&](const Given& g, size_t t) {
      if (type_id(g, t) == query.type.id()) f(g, t);
    });
  }
};

}  // namespace

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

TEST_CASE("time series equal brute force on the grid", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    c.query.range = {1'000'000 * kMs + static_cast<int64_t>(c.dice.below(50'000)) * kMs, 0};
    c.query.range.end_ns =
        c.query.range.start_ns + static_cast<int64_t>(c.dice.below(80'000)) * kMs;
    SeriesQuery q;
    q.profile = c.query;
    q.step_ms = static_cast<int64_t>(1 + c.dice.below(20'000));
    static const std::vector<std::vector<std::string>> kGroups = {
        {}, {"pod"}, {"service_name", "pod"}, {"__type__", "nope"}};
    q.group_by = kGroups[c.dice.below(kGroups.size())];
    const int64_t start = c.query.range.start_ns / kMs;
    const int64_t end = c.query.range.end_ns / kMs;
    std::map<LabelSet, std::map<int64_t, double>> want;
    c.selected({c.query.range.start_ns - q.step_ms * kMs, c.query.range.end_ns},
               [&](const Given& g, size_t t) {
                 LabelSet group;
                 for (const auto& name : q.group_by)
                   group.set(name, virtual_labels(g, t).get(name));
                 const int64_t ms = g.batch.time_ns / kMs;
                 for (int64_t at = start; at <= end; at += q.step_ms) {
                   if ((ms > at - q.step_ms || at == start) && ms <= at) {
                     want[group][at] += static_cast<double>(total(g.batch, t));
                     break;
                   }
                 }
               });
    const auto got = c.engine.select_series(q, {});
    REQUIRE(got);
    std::map<LabelSet, std::map<int64_t, double>> found;
    double last = 1e300;
    for (const TimeSeries& s : got->series) {
      double sum = 0;
      for (const Point& p : s.points) {
        REQUIRE(found[s.labels].emplace(p.time_ms, p.value).second);
        sum += p.value;
      }
      REQUIRE(sum <= last);
      last = sum;
    }
    REQUIRE(found == want);
    q.limit = 1;
    const auto limited = c.engine.select_series(q, {});
    REQUIRE(limited->series.size() == std::min<size_t>(1, want.size()));
    if (!want.empty()) REQUIRE(limited->series[0].labels == got->series[0].labels);
  }
}

TEST_CASE("label queries equal brute force", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    std::set<std::string> types, names, pods;
    std::set<LabelSet> sets, reduced;
    brute(c.world->given, c.query.selector, c.query.range, [&](const Given& g, size_t t) {
      const LabelSet all = virtual_labels(g, t);
      for (const Label& l : all.labels()) names.insert(l.name);
      if (!all.get("pod").empty()) pods.emplace(all.get("pod"));
      sets.insert(all);
      LabelSet some;
      some.set("pod", all.get("pod"));
      some.set("region", all.get("region"));
      if (!some.empty()) reduced.insert(some);
    });
    brute(c.world->given, {}, c.query.range,
          [&](const Given& g, size_t t) { types.insert(type_id(g, t)); });
    const Tenant& tenant = Tenant::anonymous();
    std::vector<std::string> ids;
    const auto found = c.engine.profile_types(tenant, c.query.range, {});
    for (const ProfileType& t : *found) ids.push_back(t.id());
    REQUIRE(ids == std::vector<std::string>(types.begin(), types.end()));
    REQUIRE(value_of(c.engine.label_names(tenant, c.query.selector, c.query.range, {})) ==
            std::vector<std::string>(names.begin(), names.end()));
    REQUIRE(value_of(c.engine.label_values(tenant, c.query.selector, "pod", c.query.range, {})) ==
            std::vector<std::string>(pods.begin(), pods.end()));
    REQUIRE(value_of(c.engine.series(tenant, c.query.selector, {}, c.query.range, {})) ==
            std::vector<LabelSet>(sets.begin(), sets.end()));
    REQUIRE(value_of(c.engine.series(tenant, c.query.selector, {"region", "pod"}, c.query.range,
                                     {})) == std::vector<LabelSet>(reduced.begin(), reduced.end()));
  }
}

TEST_CASE("merged profiles equal brute force by the whole content of stacks", "[property]") {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    INFO("seed " << seed);
    Case c(seed);
    if (c.dice.percent(30)) c.query.call_site = {"main"};
    std::map<std::string, int64_t> want;
    const auto text = [](ProfileBatch& b, size_t s) {
      std::fill(b.samples.label_begin.begin(), b.samples.label_begin.end(), 0);
      return test::text_of(b, s);
    };
    c.selected(c.query.range, [&](const Given& g, size_t t) {
      for (size_t s = 0; s < g.batch.samples.size(); ++s) {
        const auto frames = frames_of(g.batch, s);
        const bool inside = c.query.call_site.empty() || (!frames.empty() && frames[0] == "main");
        if (inside && g.batch.value(s, t) != 0)
          want[text(const_cast<ProfileBatch&>(g.batch), s)] += g.batch.value(s, t);
      }
    });
    auto got = c.engine.merge_profile(c.query, {});
    REQUIRE(got);
    ProfileBatch& b = got->batch;
    std::map<std::string, int64_t> found;
    if (want.empty()) {
      REQUIRE(b.types() == 0);
      continue;
    }
    REQUIRE(b.validate());
    REQUIRE(b.types() == 1);
    REQUIRE(b.strings[b.sample_types[0].type] == c.query.type.sample.type);
    formats::for_each_stack(got->stacks, [&b](std::span<const uint32_t> stack, int64_t value) {
      b.samples.frames.insert(b.samples.frames.end(), stack.begin(), stack.end());
      b.samples.stack_begin.push_back(static_cast<uint32_t>(b.samples.frames.size()));
      b.samples.label_begin.push_back(0);
      b.samples.values.push_back(value);
    });
    REQUIRE(b.validate());
    for (size_t s = 0; s < b.samples.size(); ++s)
      REQUIRE(found.emplace(text(b, s), b.value(s, 0)).second);
    REQUIRE(found == want);
    c.world->disturb();
    const auto again = (seed % 2 == 0 ? c.engine : c.threaded).merge_profile(c.query, {});
    REQUIRE(again->batch.strings == b.strings);
    REQUIRE(again->stacks.depth == got->stacks.depth);
    REQUIRE(again->stacks.location == got->stacks.location);
    REQUIRE(again->stacks.value == got->stacks.value);
    REQUIRE(again->batch.locations.address == b.locations.address);
  }
}
