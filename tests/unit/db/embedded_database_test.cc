#include "hearth/database.h"

#include <algorithm>

#include "base/log.h"
#include "db/database.h"
#include "support/catch.h"
#include "support/small_batch.h"
#include "support/temp_dir.h"

namespace hearth {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kStart = 1'700'000'000 * kSecond;

/// A database in a directory of its own; nothing happens in it by itself.
struct Fixture {
  test::TempDir dir;
  std::unique_ptr<EmbeddedDatabase> db;

  Fixture() { open(); }
  ~Fixture() { log::set_level(log::Level::info); }
  void open(size_t query_threads = 0) {
    db.reset();
    EmbeddedDatabase::Options options;
    options.data_dir = dir.path() + "/data";
    options.maintenance = false;
    options.query_threads = query_threads;
    auto opened = EmbeddedDatabase::open(std::move(options));
    REQUIRE(opened);
    db = std::move(*opened);
  }
};

WriteOptions of_service(const std::string& service, int64_t time_ns) {
  return {.labels = {{"service_name", service}}, .time_ns = time_ns};
}

Query cpu_query(const std::string& selector = "{}") {
  Query query;
  query.type = *ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  query.selector = selector;
  query.range = {kStart, kStart + 3600 * kSecond};
  return query;
}

/// Paths with their totals, "a;b 3" a line, in the order of the nodes.
std::vector<std::string> paths(const FlameGraph& graph) {
  std::vector<std::string> out;
  std::vector<std::string> path(graph.size());
  for (size_t i = 1; i < graph.size(); ++i) {
    const std::string& above = path[graph.parent[i]];
    path[i] = above.empty() ? graph.name_of(i) : above + ";" + graph.name_of(i);
    out.push_back(path[i] + " " + std::to_string(graph.total[i]));
  }
  return out;
}

void write_cpu(EmbeddedDatabase& db, const std::string& service, int64_t time_ns,
               const std::vector<std::pair<std::string, int64_t>>& stacks) {
  test::SmallBatch small;
  for (const auto& [stack, value] : stacks) small.stack(stack, value);
  const auto written = db.write(small.batch, of_service(service, time_ns));
  REQUIRE(written);
  REQUIRE(written->stored == 1);
}

}  // namespace

TEST_CASE("an embedded database answers from the head, from segments and after it was opened again",
          "[db]") {
  Fixture f;
  write_cpu(*f.db, "api", kStart, {{"main;work", 5}, {"main;idle", 2}});
  write_cpu(*f.db, "api", kStart + 10 * kSecond, {{"main;work", 1}});
  const std::vector<std::string> want{"main 8", "main;idle 2", "main;work 6"};
  const auto same = [&] {
    const auto graph = f.db->flame_graph(cpu_query());
    REQUIRE(graph);
    CHECK(paths(*graph) == want);
    CHECK(graph->coverage.profiles == 2);
    CHECK(graph->coverage.partial.empty());
  };
  same();
  CHECK(f.db->seal() == 2u);
  same();
  f.open(2);
  same();
}

TEST_CASE("bytes of a profile are recognised and their retry counts once", "[db]") {
  Fixture f;
  const std::string folded = "main;work 3\nmain;wait 4\n";
  const auto options = of_service("api", kStart);
  const auto first = f.db->write(folded, options);
  REQUIRE(first);
  CHECK(first->stored == 1);
  const auto again = f.db->write(folded, options);
  REQUIRE(again);
  CHECK(again->stored == 0);
  CHECK(again->duplicates == 1);
  const auto types = f.db->profile_types(Tenant::anonymous(), {});
  REQUIRE(types);
  REQUIRE(types->size() == 1);
  CHECK(types->front().name == "process_cpu");
  Query query = cpu_query();
  query.type = types->front();
  const auto graph = f.db->flame_graph(query);
  REQUIRE(graph);
  CHECK(paths(*graph) == std::vector<std::string>{"main 7", "main;wait 4", "main;work 3"});
}

TEST_CASE("selectors, call sites and tenants choose what is merged", "[db]") {
  Fixture f;
  write_cpu(*f.db, "api", kStart, {{"main;work", 5}, {"other;work", 7}});
  write_cpu(*f.db, "web", kStart, {{"main;draw", 9}});
  Query query = cpu_query("{service_name=\"api\"}");
  query.call_site = {"main"};
  auto graph = f.db->flame_graph(query);
  REQUIRE(graph);
  CHECK(paths(*graph) == std::vector<std::string>{"main 5", "main;work 5"});
  query.tenant = *Tenant::parse("acme");
  graph = f.db->flame_graph(query);
  REQUIRE(graph);
  CHECK(graph->size() == 1);
  CHECK(graph->coverage.profiles == 0);
}

TEST_CASE("what a flame graph leaves out is summed under other", "[db]") {
  Fixture f;
  write_cpu(*f.db, "api", kStart, {{"a", 100}, {"b", 50}, {"c", 2}, {"d", 1}});
  const auto graph = f.db->flame_graph(cpu_query(), 2);
  REQUIRE(graph);
  CHECK(paths(*graph) == std::vector<std::string>{"a 100", "b 50", "other 3"});
  CHECK(graph->total[0] == 153);
}

TEST_CASE("the function table counts recursion once", "[db]") {
  Fixture f;
  write_cpu(*f.db, "api", kStart, {{"main;f;f", 4}, {"main", 1}});
  const auto table = f.db->function_table(cpu_query());
  REQUIRE(table);
  CHECK(table->total == 5);
  REQUIRE(table->functions.size() == 2);
  CHECK(table->functions[0].name == "f");
  CHECK(table->functions[0].self == 4);
  CHECK(table->functions[0].total == 4);
  CHECK(table->functions[1].name == "main");
  CHECK(table->functions[1].total == 5);
}

TEST_CASE("series are sums per step and group", "[db]") {
  Fixture f;
  write_cpu(*f.db, "api", kStart + 5 * kSecond, {{"main", 5}});
  write_cpu(*f.db, "api", kStart + 6 * kSecond, {{"main", 1}});
  write_cpu(*f.db, "web", kStart + 15 * kSecond, {{"main", 9}});
  const auto answer =
      f.db->series({.query = cpu_query(), .step_ms = 10'000, .group_by = {"service_name"}});
  REQUIRE(answer);
  REQUIRE(answer->series.size() == 2);
  const auto api = std::ranges::find(answer->series, "{service_name=\"api\"}",
                                     [](const Series& s) { return s.labels.to_string(); });
  REQUIRE(api != answer->series.end());
  REQUIRE(api->points.size() == 1);
  CHECK(api->points[0].time_ms == kStart / 1'000'000 + 10'000);
  CHECK(api->points[0].value == 6);
}

TEST_CASE("bad input to an embedded database is an error that says what is wrong", "[db]") {
  Fixture f;
  CHECK(f.db->write("\x1f\x8bno gzip", of_service("api", kStart)).error().code ==
        ErrorCode::invalid_argument);
  CHECK(f.db->flame_graph(cpu_query("{service_name=")).error().code == ErrorCode::invalid_argument);
  test::SmallBatch small;
  small.stack("main;work", 1);
  SECTION("columns of different lengths") {
    small.batch.functions.file.pop_back();
    const auto refused = f.db->write(small.batch, of_service("api", kStart));
    REQUIRE(!refused);
    CHECK(refused.error().message == "profile: columns of one table differ in length");
  }
  SECTION("a string that is no text") {
    small.batch.add_string("\xff");
    CHECK(!f.db->write(small.batch, of_service("api", kStart)));
  }
  SECTION("no sample types") {
    ProfileBatch empty;
    empty.add_string("");
    CHECK(!f.db->write(empty, of_service("api", kStart)));
  }
  const auto types = f.db->profile_types(Tenant::anonymous(), {});
  REQUIRE(types);
  CHECK(types->empty());
}

TEST_CASE("one process has a directory open at a time, and options are checked", "[db]") {
  Fixture f;
  EmbeddedDatabase::Options options;
  options.data_dir = f.dir.path() + "/data";
  CHECK(EmbeddedDatabase::open(options).error().code == ErrorCode::conflict);
  options.data_dir = f.dir.path() + "/other";
  options.log_level = "loud";
  CHECK(EmbeddedDatabase::open(options).error().code == ErrorCode::invalid_argument);
  options.log_level = "warn";
  options.seal_interval_ns = 0;
  CHECK(EmbeddedDatabase::open(options).error().code == ErrorCode::invalid_argument);
}

}  // namespace hearth
