#pragma once

#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/worker_pool.h"
#include "query/engine.h"
#include "storage/deletion_log.h"
#include "support/catch.h"
#include "support/dictionary_store.h"
#include "support/profile_gen.h"
#include "support/quiet_log.h"
#include "support/segment_view.h"
#include "support/small_batch.h"
#include "support/store_model.h"

/// Random profiles in stores of several kinds, and sums over them as they were given.
namespace hearth::query::brute_force {

inline constexpr int64_t kMs = 1'000'000;

struct Given {
  LabelSet series;
  ProfileBatch batch;
};

inline test::SmallBatch random_batch(test::Dice& dice) {
  static const std::vector<std::string> kNames = {"main", "walk",    "walk2", "other",
                                                  "",     "a.b/c.D", "zz",    "größe"};
  const bool heap = dice.percent(30);
  test::SmallBatch out =
      heap ? test::SmallBatch({"alloc_objects/count", "alloc_space/bytes"}, "space/bytes")
           : test::SmallBatch({"samples/count", "cpu/nanoseconds"}, "cpu/nanoseconds");
  const size_t locations = 1 + dice.below(12);
  for (size_t l = 0; l < locations; ++l) {
    std::vector<test::SmallBatch::Line> lines(dice.percent(15) ? 0 : 1 + dice.skewed(3));
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
  /// Deletes some of what was given, where the store can.
  virtual void forget(test::Dice&) {}
  std::vector<Given> given;

  void fill(uint64_t seed) {
    test::Dice dice(seed);
    const size_t profiles = 5 + dice.below(60);
    for (size_t p = 0; p < profiles; ++p) {
      test::SmallBatch batch = random_batch(dice);
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
  // Few rows a dataset, so that days have rollups of several.
  StoredWorld() {
    store_.close();
    store_.options().dataset_rows_max = 30;
    REQUIRE(store_.reopen());
  }
  storage::Store& store() override { return store_.store(); }
  void append(const LabelSet& series, const ProfileBatch& batch) override {
    std::vector<uint32_t> samples(batch.samples.size());
    std::iota(samples.begin(), samples.end(), 0U);
    const storage::AppendProfile profile{&series, &batch, samples, std::nullopt};
    REQUIRE(store().append(Tenant::anonymous(), std::span(&profile, 1)));
  }
  void cut() override { REQUIRE(store().seal()); }
  void disturb() override {
    REQUIRE(store().seal());
    if (forgot_) REQUIRE(store().compact(true, {}));
  }
  void forget(test::Dice& dice) override {
    const test::QuietLog quiet;
    forgot_ = dice.percent(60);
    if (!forgot_) return;
    // From segments with rollups, or from wherever the profiles are.
    if (dice.percent(50)) disturb();
    static const char* kSelectors[] = {R"({pod="pod-1"})", R"({service_name="cart",region=""})",
                                       R"({service_name="checkout"})", "{}"};
    const auto from = static_cast<int64_t>(1'000'000 + dice.below(60'000)) * kMs;
    const int64_t last = from + static_cast<int64_t>(dice.below(60'000)) * kMs;
    auto deletion = storage::Deletion::make(
        "anonymous", kSelectors[dice.below(std::size(kSelectors))], from, last);
    REQUIRE(deletion);
    std::erase_if(given, [&](const Given& g) {
      return g.batch.time_ns >= from && g.batch.time_ns <= last &&
             deletion->selector.matches(g.series);
    });
    REQUIRE(store().deletions()->add(std::move(*deletion)));
  }

 private:
  test::StoreUnderTest store_;
  bool forgot_ = false;
};

// Segments as compaction makes them: with rollups, one group per pod, and perhaps one rollup of all
// datasets of a key. disturb() takes the rollups away.
class RolledUpWorld final : public World {
 public:
  explicit RolledUpWorld(test::SegmentView::Form form) : form_(form) {}
  storage::Store& store() override {
    if (view_.datasets().empty()) view_.fill(store_, form_);
    return view_;
  }
  void append(const LabelSet& series, const ProfileBatch& batch) override {
    store_.append(series, batch);
  }
  void cut() override { store_.cut(); }
  void disturb() override { view_.fill(store_, test::SegmentView::Form::plain); }

 private:
  const test::SegmentView::Form form_;
  test::DictionaryStore store_;
  test::SegmentView view_;
};

inline constexpr uint64_t kDictionarySeeds = 300;
inline constexpr uint64_t kStoredSeeds = 340;  // Forty on the real store, most with deletions,
inline constexpr uint64_t kRollupSeeds = 400;  // sixty on segments with rollups,
inline constexpr uint64_t kSeeds = 460;  // and sixty on such with rollups of several datasets.

inline std::unique_ptr<World> world_of(uint64_t seed) {
  std::unique_ptr<World> world;
  if (seed < kDictionarySeeds) {
    world = std::make_unique<DictionaryWorld>();
  } else if (seed < kStoredSeeds) {
    world = std::make_unique<StoredWorld>();
  } else {
    world = std::make_unique<RolledUpWorld>(seed < kRollupSeeds ? test::SegmentView::Form::rollups
                                                                : test::SegmentView::Form::covers);
  }
  world->fill(seed);
  test::Dice dice(~seed);
  world->forget(dice);
  return world;
}

inline std::string type_id(const Given& g, size_t t) {
  const ProfileBatch& b = g.batch;
  const auto s = [&b](uint32_t i) { return std::string(b.strings[i]); };
  return std::string(g.series.get("__name__")) + ":" + s(b.sample_types[t].type) + ":" +
         s(b.sample_types[t].unit) + ":" + s(b.period_type.type) + ":" + s(b.period_type.unit);
}
inline int64_t total(const ProfileBatch& b, size_t t) {
  int64_t sum = 0;
  for (size_t s = 0; s < b.samples.size(); ++s) sum += b.value(s, t);
  return sum;
}
inline LabelSet virtual_labels(const Given& g, size_t t) {
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

inline std::vector<std::string> frames_of(const ProfileBatch& b, size_t sample) {
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

inline void check_shape(const FunctionTree& tree) {
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

inline bool same(const FunctionTree& a, const FunctionTree& b) {
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
  test::Dice dice;
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

}  // namespace hearth::query::brute_force
