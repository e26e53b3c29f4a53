#include "query/engine.h"

#include <atomic>
#include <map>
#include <thread>

#include "hearth/clock.h"
#include "query/engine_impl.h"
#include "query/page_queries.h"
#include "support/catch.h"
#include "support/dictionary_store.h"
#include "support/memory_store.h"
#include "support/segment_view.h"
#include "support/small_batch.h"

using namespace hearth;
using namespace hearth::query;
using hearth::test::SmallBatch;

namespace {

constexpr int64_t kMs = 1'000'000;

LabelSet series(const std::string& service, const std::string& pod = {},
                const std::string& name = "process_cpu") {
  return *LabelSet::make({{"__name__", name}, {"service_name", service}, {"pod", pod}});
}

struct Fixture {
  test::DictionaryStore store;
  MemoryAccountant memory{64U << 20U};
  Engine engine{{&store, &memory, 1U << 20U}};

  test::DictionaryDataset& add(const std::string& service, const std::string& folded, int64_t value,
                               int64_t time_ms, const std::string& pod = {}) {
    SmallBatch batch;
    batch.stack(folded, value).at(time_ms * kMs);
    return store.append(series(service, pod), batch.batch);
  }
  static ProfileQuery query(TimeRange range = {}, const char* selector = "{}") {
    ProfileQuery q;
    q.type = *ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
    q.selector = *Selector::parse(selector);
    q.range = range;
    return q;
  }
};

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

std::vector<std::pair<int64_t, double>> points_of(const TimeSeries& series) {
  std::vector<std::pair<int64_t, double>> points;
  for (const Point& p : series.points) points.emplace_back(p.time_ms, p.value);
  return points;
}

}  // namespace

TEST_CASE("one rollup serves for all datasets of a segment that it covers", "[query]") {
  Fixture f;
  f.add("shop", "main;walk", 3, 1'000, "a");
  f.store.cut();
  f.add("shop", "main;run", 4, 2'000, "b");
  f.store.cut();
  f.add("till", "main", 5, 1'500);
  test::SegmentView view;
  view.fill(f.store, test::SegmentView::Form::covers);
  REQUIRE(view.covered() == 2);
  Engine engine({&view, &f.memory, 1U << 20U});
  const auto datasets = [&](const ProfileQuery& query) {
    const auto got = engine.merge_tree(query, {});
    REQUIRE(got);
    CHECK(stacks_of(got->tree) == stacks_of(f.engine.merge_tree(query, {})->tree));
    return got->cost.datasets;
  };
  const TimeRange all = {0, 3'000 * kMs};
  CHECK(datasets(Fixture::query(all)) == 2);
  CHECK(datasets(Fixture::query(all, R"({service_name="shop"})")) == 1);
  // What is about a part of it is asked of the datasets themselves.
  CHECK(datasets(Fixture::query({0, 1'500 * kMs}, R"({service_name="shop"})")) == 1);
  CHECK(datasets(Fixture::query({1'000 * kMs, 1'999 * kMs})) == 2);
  CHECK(datasets(Fixture::query(all, R"({service_name="shop",pod=~".+"})")) == 2);
}

TEST_CASE("both ends of a range are inclusive", "[query]") {
  Fixture f;
  for (int64_t t = 10; t <= 14; ++t) f.add("a", "main", 1 << (t - 10), t);
  const auto got = f.engine.merge_tree(Fixture::query({11 * kMs, 13 * kMs}), {});
  REQUIRE(got);
  CHECK(got->tree.total[0] == 2 + 4 + 8);
  CHECK(got->cost.profiles == 3);
}

TEST_CASE("stacks without frames count in series, not in trees", "[query]") {
  Fixture f;
  SmallBatch batch;
  const uint32_t unknown = batch.location({}, 0x1234);
  const uint32_t main = batch.location({{"inlined"}, {"main"}});
  batch.sample({}, {1}).sample({unknown}, {2}).sample({unknown, main}, {4}).at(kMs);
  f.store.append(series("a"), batch.batch);
  const auto got = f.engine.merge_tree(Fixture::query(), {});
  CHECK(stacks_of(got->tree) == std::map<std::string, int64_t>{{"main;inlined", 4}});
  CHECK(got->tree.without_stack == 3);
  SeriesQuery q;
  q.profile = Fixture::query({0, 1000 * kMs});
  q.step_ms = 500;
  CHECK(f.engine.select_series(q, {})->series[0].points[0].value == 7);
}

TEST_CASE("nothing to merge is an empty tree, an empty profile and no series", "[query]") {
  Fixture f;
  const auto tree = f.engine.merge_tree(Fixture::query(), {});
  CHECK(tree->tree.size() == 1);
  CHECK(tree->tree.names == std::vector<std::string>{""});
  CHECK(f.engine.merge_profile(Fixture::query(), {})->batch.types() == 0);
  CHECK(f.engine.select_series({Fixture::query({0, kMs}), 1000, {}, 0}, {})->series.empty());
  CHECK_FALSE(f.engine.extent(Tenant::anonymous(), {})->has_value());
}

TEST_CASE("tenants do not see each other", "[query]") {
  Fixture f;
  SmallBatch batch;
  batch.stack("main", 1).at(kMs);
  f.store.append(series("a"), batch.batch, *Tenant::parse("other"));
  CHECK(f.engine.merge_tree(Fixture::query(), {})->tree.total[0] == 0);
  ProfileQuery q = Fixture::query();
  q.tenant = *Tenant::parse("other");
  CHECK(f.engine.merge_tree(q, {})->tree.total[0] == 1);
}

TEST_CASE("a damaged dataset makes the answer partial and spares the others", "[query]") {
  Fixture f;
  f.add("broken", "main;x", 5, 1).damage();
  f.add("whole", "main;y", 7, 1);
  const auto got = f.engine.merge_tree(Fixture::query(), {});
  REQUIRE(got);
  CHECK(stacks_of(got->tree) == std::map<std::string, int64_t>{{"main;y", 7}});
  REQUIRE(got->cost.partial.size() == 1);
  CHECK(got->cost.partial[0].find("broken") != std::string::npos);
  CHECK(f.engine.merge_profile(Fixture::query(), {})->cost.partial.size() == 1);
  f.store.partial = {"segment 1: unreadable"};
  CHECK(f.engine.merge_tree(Fixture::query(), {})->cost.partial.size() == 2);
}

TEST_CASE("a cancelled query stops with its reason", "[query]") {
  Fixture f;
  f.add("a", "main", 1, 1);
  const CancelToken token(system_clock(), INT64_MAX);
  token.cancel();
  CHECK(f.engine.merge_tree(Fixture::query(), token).error().code == ErrorCode::cancelled);
  CHECK(f.engine.select_series({Fixture::query(), 1000, {}, 0}, token).error().code ==
        ErrorCode::cancelled);
  CHECK(f.engine.profile_types(Tenant::anonymous(), {}, token).error().code ==
        ErrorCode::cancelled);
  const CancelToken late(system_clock(), 0);
  CHECK(f.engine.merge_profile(Fixture::query(), late).error().code ==
        ErrorCode::deadline_exceeded);
}

TEST_CASE("a query that the memory limit has no room for is refused and leaves nothing charged",
          "[query]") {
  Fixture f;
  for (int i = 0; i < 200; ++i) f.add("a", "main;f" + std::to_string(i), 1, 1);
  MemoryAccountant small(16U << 10U);
  {
    Engine engine({&f.store, &small, 1U << 20U});
    const auto got = engine.merge_tree(Fixture::query(), {});
    REQUIRE_FALSE(got);
    CHECK(got.error().code == ErrorCode::unavailable);
  }
  CHECK(small.used() == 0);
}

TEST_CASE("caches stay inside their budget and give everything back", "[query]") {
  Fixture f;
  for (int service = 0; service < 20; ++service) {
    for (int i = 0; i < 50; ++i)
      f.add("s" + std::to_string(service), "main;f" + std::to_string(i), 1, 1);
  }
  MemoryAccountant memory(64U << 20U);
  constexpr size_t kBudget = 64U << 10U;
  {
    Engine engine({&f.store, &memory, kBudget});
    for (int round = 0; round < 3; ++round)
      CHECK(engine.merge_tree(Fixture::query(), {})->tree.total[0] == 1000);
    CHECK(engine.impl().symbols.bytes() > 0);
    CHECK(engine.impl().symbols.bytes() <= kBudget);
  }
  CHECK(memory.used() == 0);
}

TEST_CASE("a dictionary that grows between two queries is seen as it is", "[query]") {
  Fixture f;
  f.add("a", "main;x", 1, 1);
  CHECK(stacks_of(f.engine.merge_tree(Fixture::query(), {})->tree) ==
        std::map<std::string, int64_t>{{"main;x", 1}});
  f.add("a", "main;y;z", 2, 1);
  CHECK(stacks_of(f.engine.merge_tree(Fixture::query(), {})->tree) ==
        std::map<std::string, int64_t>{{"main;x", 1}, {"main;y;z", 2}});
}

TEST_CASE("a merge is shared until the data or the query changes", "[query]") {
  Fixture f;
  f.add("a", "main;x", 1, 1);
  const auto first = *f.engine.shared_placed_tree(Fixture::query(), {});
  CHECK(*f.engine.shared_placed_tree(Fixture::query(), {}) == first);
  CHECK(f.engine.impl().merges.bytes() > 0);
  ProfileQuery other = Fixture::query();
  other.call_site = {"main"};
  CHECK(*f.engine.shared_placed_tree(other, {}) != first);
  f.add("a", "main;x", 2, 1);
  const auto second = *f.engine.shared_placed_tree(Fixture::query(), {});
  CHECK(second->tree.total[0] == 3);
  CHECK(first->tree.total[0] == 1);
}

TEST_CASE("a partial merge is not kept", "[query]") {
  Fixture f;
  f.add("a", "main;x", 1, 1);
  f.store.partial = {"segment 1: unreadable"};
  const auto first = *f.engine.shared_placed_tree(Fixture::query(), {});
  CHECK(*f.engine.shared_placed_tree(Fixture::query(), {}) != first);
  CHECK(f.engine.impl().merges.bytes() == 0);
}

TEST_CASE("queries run while their dictionary grows", "[query]") {
  test::MemoryStore store;
  MemoryAccountant memory(64U << 20U);
  Engine engine({&store, &memory, 1U << 20U});
  constexpr int kProfiles = 200;
  const LabelSet labels = series("a");
  std::thread writer([&] {
    for (int i = 0; i < kProfiles; ++i) {
      SmallBatch batch;
      batch.stack("main;f" + std::to_string(i) + ";leaf", 1).at(kMs);
      const uint32_t sample = 0;
      const storage::AppendProfile profile{&labels, &batch.batch, {&sample, 1}, std::nullopt};
      if (!store.append(Tenant::anonymous(), {&profile, 1})) return;
    }
  });
  std::atomic<int> wrong = 0;
  std::vector<std::thread> readers;
  for (int r = 0; r < 3; ++r) {
    readers.emplace_back([&] {
      for (int64_t last = 0; last < kProfiles;) {
        const auto got = engine.merge_tree(Fixture::query(), {});
        // Every profile adds two nodes below main and one to its value.
        const bool whole = got && got->tree.total[0] >= last &&
                           (got->tree.size() == 1 ||
                            static_cast<int64_t>(got->tree.size()) == 2 + 2 * got->tree.total[0]);
        if (!whole) {
          ++wrong;
          return;
        }
        last = got->tree.total[0];
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  CHECK(wrong == 0);
}

TEST_CASE("the first grid point takes what came before, a partial last step is dropped",
          "[query]") {
  Fixture f;
  // Grid 1000, 1010, 1020; the range ends at 1025.
  for (const int64_t t : {989, 990, 991, 1000, 1001, 1010, 1011, 1020, 1021, 1025})
    f.add("a", "main", 1, t);
  SeriesQuery q;
  q.profile = Fixture::query({1000 * kMs, 1025 * kMs});
  q.step_ms = 10;
  const auto got = f.engine.select_series(q, {});
  REQUIRE(got->series.size() == 1);
  CHECK(points_of(got->series[0]) ==
        std::vector<std::pair<int64_t, double>>{{1000, 3}, {1010, 2}, {1020, 2}});
  CHECK(got->series[0].labels.empty());
  q.step_ms = 0;
  CHECK(f.engine.select_series(q, {}).error().code == ErrorCode::invalid_argument);
}

TEST_CASE("series are ordered by total, ties by labels in the order of group_by", "[query]") {
  Fixture f;
  f.add("b", "main", 5, 1, "p1");
  f.add("a", "main", 5, 1, "p2");
  f.add("c", "main", 9, 1);
  SeriesQuery q;
  q.profile = Fixture::query({0, 1000 * kMs});
  q.step_ms = 500;
  q.group_by = {"pod", "service_name"};
  const auto got = f.engine.select_series(q, {});
  std::vector<std::string> order;
  for (const TimeSeries& s : got->series) order.push_back(s.labels.to_string());
  CHECK(order == std::vector<std::string>{R"({service_name="c"})",
                                          R"({pod="p1", service_name="b"})",
                                          R"({pod="p2", service_name="a"})"});
  q.limit = 2;
  CHECK(f.engine.select_series(q, {})->series.size() == 2);
}

TEST_CASE("a plain push has exactly the label names of the reference", "[query]") {
  Fixture f;
  SmallBatch batch;
  batch.stack("main", 1).at(kMs);
  f.store.append(
      *LabelSet::make({{"__name__", "process_cpu"}, {"service_name", "s"}, {"job", "j"}}),
      batch.batch);
  const auto names = f.engine.label_names(Tenant::anonymous(), {}, {}, {});
  CHECK(*names == std::vector<std::string>{"__name__", "__period_type__", "__period_unit__",
                                           "__profile_type__", "__service_name__", "__type__",
                                           "__unit__", "job", "service_name"});
  CHECK(f.engine.label_values(Tenant::anonymous(), {}, "", {}, {}).error().code ==
        ErrorCode::invalid_argument);
}

TEST_CASE("a merged profile has the metadata of the reference", "[query]") {
  Fixture f;
  SmallBatch batch;
  const uint32_t leaf = batch.location({{"leaf", "x.go", 7}}, 0, "/bin/a");
  const uint32_t root = batch.location({{"main", "x.go", 3}});
  batch.sample({leaf, root}, {4}).sample({leaf, root}, {5}, 48).at(kMs);
  f.store.append(series("a"), batch.batch);
  const auto got = f.engine.merge_profile(Fixture::query({0, 9 * kMs}), {});
  const ProfileBatch& b = got->batch;
  REQUIRE(b.validate());
  CHECK(b.strings[b.sample_types[0].type] == "cpu");
  CHECK(b.strings[b.default_sample_type] == "cpu");
  CHECK(b.strings[b.period_type.unit] == "nanoseconds");
  CHECK(b.period == 1'000'000'000);
  CHECK(b.time_ns == 9 * kMs);
  CHECK(b.duration_ns == 0);
  CHECK(b.samples.size() == 0);
  int stacks = 0;
  formats::for_each_stack(got->stacks, [&](std::span<const uint32_t> stack, int64_t value) {
    ++stacks;
    CHECK(value == 9);
    const uint32_t line = b.locations.line_begin[stack[0]];
    CHECK(b.strings[b.functions.name[b.lines.function[line]]] == "leaf");
  });
  CHECK(stacks == 1);
  CHECK(b.mappings.size() == 1);
}

TEST_CASE("a function's place is that of its heaviest contributor", "[query]") {
  Fixture f;
  SmallBatch batch;
  const auto at = [&batch](const char* file, int64_t line, const char* binary) {
    return batch.location({{"f", file, line}}, 0, binary);
  };
  batch.sample({at("a.go", 1, "/bin/x")}, {5})
      .sample({at("a.go", 2, "/bin/x")}, {4})
      .sample({at("b.go", 9, "/bin/x")}, {8});
  batch.at(kMs);
  f.store.append(series("a"), batch.batch);
  const auto got = f.engine.merge_placed_tree(Fixture::query(), {});
  REQUIRE(got->tree.names == std::vector<std::string>{"", "f"});
  CHECK(got->places[0] == Place{});
  CHECK(got->places[1] == Place{"a.go", "/bin/x", 1, 1});
}

TEST_CASE("the page's series are aligned, left-closed and add up with other", "[query]") {
  Fixture f;
  for (int pod = 0; pod < 5; ++pod) {
    f.add("a", "main", 10 - pod, 5'000, "p" + std::to_string(pod));
    f.add("a", "main", 1, 10'000, "p" + std::to_string(pod));
  }
  f.add("a", "main", 100, 16'000);
  PageSeriesQuery q;
  q.profile = Fixture::query({4'000 * kMs, 29'999 * kMs});
  q.step_ms = 5'000;
  q.group_by = "pod";
  q.groups = 3;
  const auto got = page_series(f.engine, q, {});
  REQUIRE(got);
  using Points = std::vector<std::optional<int64_t>>;
  CHECK(got->start_ms == 0);
  CHECK(got->total == Points{std::nullopt, 40, 5, 100, std::nullopt, std::nullopt});
  REQUIRE(got->groups.size() == 3);
  CHECK(got->groups[0].value.empty());
  CHECK(got->groups[1].value == "p0");
  CHECK(got->other_groups == 3);
  CHECK(got->other.points == Points{std::nullopt, 21, 3, std::nullopt, std::nullopt, std::nullopt});
  CHECK(got->sum == 145);
  q.step_ms = 999;
  CHECK_FALSE(page_series(f.engine, q, {}));
  q.step_ms = 1000;
  q.profile.range.end_ns = 6'000'000 * kMs;
  CHECK_FALSE(page_series(f.engine, q, {}));
}

TEST_CASE("labels come with their number of values and what they add up to", "[query]") {
  Fixture f;
  f.add("a", "main", 1, 1, "p1");
  f.add("a", "main", 2, 1, "p2");
  f.add("a", "main", 4, 1);
  const auto counts = label_counts(f.engine, Tenant::anonymous(), {}, {}, {});
  REQUIRE(counts->labels.size() == 2);
  CHECK(counts->labels[0].name == "pod");
  CHECK(counts->labels[0].values == 2);
  const auto shares = label_shares(f.engine, Fixture::query(), "pod", {});
  REQUIRE(shares->values.size() == 2);
  CHECK(shares->values[0].value == "p2");
  CHECK(shares->sum == 3);
}

TEST_CASE("the overview lists services with types, values, change and top functions", "[query]") {
  Fixture f;
  f.add("cart", "main;x", 5, 10'500);
  f.add("cart", "main;y", 3, 19'999, "p");
  f.add("cart", "main", 50, 5'000);
  f.add("search", "main", 1, 12'000);
  SmallBatch heap({"inuse_space/bytes"}, "space/bytes");
  heap.stack("main", 9).at(11'000 * kMs);
  f.store.append(series("db", {}, "memory"), heap.batch);
  ServicesQuery q;
  q.range = {10'000 * kMs, 20'000 * kMs - 1};
  q.detail = true;
  q.buckets = 2;
  const auto got = services(f.engine, q, {});
  REQUIRE(got);
  CHECK_FALSE(got->empty);
  CHECK(got->type->id() == "process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  CHECK(got->types.size() == 2);
  REQUIRE(got->rows.size() == 3);
  const ServiceRow& cart = got->rows[0];
  CHECK(cart.name == "cart");
  CHECK(cart.series == 2);
  CHECK(cart.total == 8);
  CHECK(cart.previous == 50);
  CHECK(cart.profiles == 2);
  CHECK(cart.last_seen_ns == 19'999 * kMs);
  CHECK(cart.spark == std::vector<std::optional<int64_t>>{5, 3});
  REQUIRE(cart.top.size() == 2);
  CHECK(cart.top[0].name == "x");
  CHECK(cart.top[0].self == 5);
  CHECK(got->rows[1].name == "db");
  CHECK_FALSE(got->rows[1].total);
  CHECK(got->rows[1].spark.empty());
  CHECK_FALSE(got->rows[2].previous);
}
