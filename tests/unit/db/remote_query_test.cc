// Queries against a bucket at a simulated S3 service: how many requests they cost, and what they do
// when the service misbehaves.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>

#include "db/database.h"
#include "db/demo_data.h"
#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/quiet_log.h"
#include "support/read_file.h"
#include "support/s3sim/s3_sim.h"
#include "support/temp_dir.h"

namespace hearth {
namespace {

constexpr int64_t kHour = 3'600'000'000'000;
constexpr int64_t kDay = 24 * kHour;
/// Midnight UTC; the clock of the tests begins on that day.
constexpr int64_t kMidnight = 1'700'000'000'000'000'000 / kDay * kDay;

using Objects = std::map<std::string, std::string>;

Objects objects_in(const std::string& folder) {
  Objects out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    out["p/" + std::filesystem::relative(entry.path(), folder).string()] =
        test::read_file(entry.path());
  }
  return out;
}

void set_to_next_day(test::ManualClock& clock) {
  clock.advance(kMidnight + kDay + kHour / 2 - clock.wall_ns());
}

/// What a bucket holds after a day of three services: one fresh segment, one for each hour, or one
/// for the day. Made once, in a directory.
struct Day {
  Objects fresh, hours, day;

  static const Day& get() {
    static const Day day;
    return day;
  }

 private:
  Day() {
    const test::TempDir dir;
    test::ManualClock clock;
    set_to_next_day(clock);
    Database::Options options;
    options.data_dir = dir / "data";
    options.bucket = dir / "bucket";
    options.clock = &clock;
    options.maintenance_thread = false;
    auto db = Database::open(options);
    REQUIRE(db);
    demo::Options demo;
    demo.step_ns = kHour / 60;
    demo.length_ns = kDay;
    demo.end_ns = kMidnight + kDay - demo.step_ns / 2;
    REQUIRE(demo::write(**db, Tenant::anonymous(), demo, CancelToken()));
    REQUIRE((*db)->store().seal());
    fresh = objects_in(options.bucket);
    REQUIRE((*db)->store().compact(false, CancelToken()));
    hours = objects_in(options.bucket);
    REQUIRE((*db)->store().compact(true, CancelToken()));
    day = objects_in(options.bucket);
  }
};

/// A process on such a bucket at a simulated service.
struct Fixture {
  test::QuietLog quiet;
  test::TempDir dir;
  test::ManualClock clock;
  test::S3Sim sim;
  std::unique_ptr<Database> db;

  explicit Fixture(const Objects& objects) {
    std::ofstream(dir / "keys")
        << "[default]\naws_access_key_id=test-key\naws_secret_access_key=test-secret\n";
    set_to_next_day(clock);
    for (const auto& [key, bytes] : objects) sim.replace(key, bytes);
    db = open("data");
  }
  ~Fixture() { sim.set_latency_ms(0); }

  std::unique_ptr<Database> open(const std::string& data, Role role = Role::all) const {
    Database::Options options;
    options.role = role;
    options.data_dir = dir / data;
    options.bucket = "s3://test/p";
    options.s3.endpoint = sim.endpoint();
    options.s3.credentials.file = dir / "keys";
    options.clock = &clock;
    options.maintenance_thread = false;
    auto opened = Database::open(options);
    REQUIRE(opened);
    return std::move(*opened);
  }
  /// Closes, then opens again without what `lost` names.
  void reopen(const std::string& lost = "") {
    db.reset();
    if (!lost.empty()) std::filesystem::remove_all(dir / lost);
    db = open("data");
  }
  /// As after some queries of other data.
  void know_directories() const { REQUIRE(db->store().view(Tenant::anonymous(), {})); }

  static query::ProfileQuery query(int64_t start_ns, int64_t length_ns) {
    query::ProfileQuery query;
    query.type = ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds").value();
    query.selector = Selector::parse(R"({service_name="checkout"})").value();
    query.range = {start_ns, start_ns + length_ns - 1};
    return query;
  }
  /// The total of a flame graph, of everything the range holds.
  int64_t total(const query::ProfileQuery& query) const {
    const auto tree = db->engine().merge_tree(query, CancelToken());
    REQUIRE(tree);
    CHECK(tree->cost.partial.empty());
    return tree->tree.total[0];
  }
  int64_t day_total() const { return total(query(kMidnight, kDay)); }
  /// Without those that were made a second time because the machine was slow.
  [[nodiscard]] uint64_t gets() const {
    return sim.counts().get - db->remote_reading()->fetches.hedges;
  }
  template <class Run>
  uint64_t gets_of(Run&& run) const {
    const uint64_t before = gets();
    run();
    return gets() - before;
  }
};

}  // namespace

TEST_CASE("an hour of a service is one request, a day one per hour or a single one",
          "[db][remote]") {
  Fixture f(Day::get().fresh);
  const int64_t want = f.day_total();
  REQUIRE(want > 0);
  REQUIRE(f.db->store().compact(false, CancelToken()));
  REQUIRE(f.db->store().stats().compaction.levels[1].segments == 24);
  const auto hour = Fixture::query(kMidnight + 5 * kHour, kHour);
  // The process that made the segments knows their directories.
  CHECK(f.gets_of([&] { CHECK(f.total(hour) > 0); }) <= 1);
  CHECK(f.gets_of([&] { CHECK(f.day_total() == want); }) <= 23);
  // Asked again, nothing is; nor after a start, as what was read is on disk.
  CHECK(f.gets_of([&] { CHECK(f.day_total() == want); }) == 0);
  f.reopen();
  CHECK(f.gets_of([&] { CHECK(f.day_total() == want); }) == 0);
  CHECK(f.db->remote_reading()->fetches.requests == 0);
  // With nothing cached: the directory, and the range.
  f.reopen("data/blocks");
  CHECK(f.gets_of([&] { CHECK(f.total(hour) > 0); }) <= 2);
  f.reopen("data");
  CHECK(f.gets_of([&] { CHECK(f.total(hour) > 0); }) <= 2);
  CHECK(f.gets_of([&] { CHECK(f.day_total() == want); }) <= 46);
  // Hours that the catalog rules out cost nothing.
  CHECK(f.gets_of([&] { CHECK(f.total(Fixture::query(kMidnight - kDay, kDay)) == 0); }) == 0);
}

TEST_CASE("a whole day is one request when its rollup is there", "[db][remote]") {
  const Fixture hours(Day::get().hours);
  const Fixture f(Day::get().day);
  REQUIRE(f.db->store().stats().compaction.levels[2].segments == 1);
  f.know_directories();
  CHECK(f.gets_of([&] { CHECK(f.day_total() == hours.day_total()); }) <= 1);
}

TEST_CASE("the requests of a query go out in one wave", "[db][remote]") {
  Fixture f(Day::get().hours);
  const int64_t want = f.day_total();
  f.reopen("data/blocks");
  f.sim.set_latency_ms(100);
  const uint64_t connections = f.sim.connections();
  CHECK(f.day_total() == want);
  // Each request that is under way has a connection of its own.
  CHECK(f.sim.connections() - connections >= 16);
}

TEST_CASE("a query process that starts reads the directories of many segments at a time",
          "[db][remote]") {
  Fixture f(Day::get().hours);
  const int64_t want = f.day_total();
  f.db.reset();
  f.sim.set_latency_ms(100);
  const uint64_t connections = f.sim.connections();
  f.db = f.open("reader", Role::query);
  CHECK(f.sim.connections() - connections >= 16);
  f.sim.set_latency_ms(0);
  CHECK(f.db->store().stats().segments == 24);
  CHECK(f.day_total() == want);
}

TEST_CASE("about as many bytes are read as are asked for", "[db][remote]") {
  const Fixture f(Day::get().day);
  f.know_directories();
  const auto query = Fixture::query(kMidnight, kDay);
  const uint64_t gets = f.gets();
  const uint64_t before = f.sim.counts().bytes_out;
  const auto merged = f.db->engine().merge_profile(query, CancelToken());
  REQUIRE(merged);
  const uint64_t read = f.sim.counts().bytes_out - before;
  CHECK(f.gets() - gets <= 1);
  const uint64_t blocks = 2 * storage::BlockCache::kBlockBytes;
  CHECK(static_cast<double>(read) <=
        1.1 * static_cast<double>(merged->cost.scanned_bytes) + static_cast<double>(blocks));
}

TEST_CASE("a segment that another process merges while it is known is read in its new place",
          "[db][remote]") {
  Fixture f(Day::get().hours);
  const int64_t want = f.day_total();
  // Directories are known and nothing else; then the hours become a day, and their objects go.
  f.reopen("data/blocks");
  f.know_directories();
  // What a compaction leaves when it has deleted what it replaced.
  for (const auto& [key, bytes] : Day::get().day) f.sim.replace(key, bytes);
  for (const auto& [key, bytes] : Day::get().hours) {
    if (!Day::get().day.contains(key)) f.sim.erase(key);
  }
  CHECK(f.day_total() == want);
  CHECK(f.db->store().stats().compaction.levels[2].segments == 1);
  query::SeriesQuery by_hour;
  by_hour.profile = Fixture::query(kMidnight, kDay);
  by_hour.step_ms = 3'600'000;
  const auto series = f.db->engine().select_series(by_hour, CancelToken());
  REQUIRE(series);
  CHECK(series->cost.partial.empty());
}

TEST_CASE("an object that is missing for good makes the answer partial", "[db][remote]") {
  Fixture f(Day::get().hours);
  const int64_t want = f.day_total();
  f.reopen("data/blocks");
  f.know_directories();
  const auto lost = std::ranges::find_if(
      Day::get().hours, [](const auto& object) { return object.first.starts_with("p/m/"); });
  f.sim.erase(lost->first);
  const auto tree = f.db->engine().merge_tree(Fixture::query(kMidnight, kDay), CancelToken());
  REQUIRE(tree);
  CHECK(tree->cost.partial.size() == 1);
  CHECK(tree->tree.total[0] < want);
  // The next query looks again.
  f.sim.replace(lost->first, lost->second);
  CHECK(f.day_total() == want);
}

TEST_CASE("many objects that are missing for good cost the answer their part each time",
          "[db][remote]") {
  Fixture f(Day::get().hours);
  const int64_t want = f.day_total();
  const auto query = Fixture::query(kMidnight, kDay);
  const auto lose = [&] {
    size_t lost = 0;
    for (const auto& [key, bytes] : Day::get().hours) {
      if (!key.starts_with("p/m/") || lost == 20) continue;
      f.sim.erase(key);
      ++lost;
    }
  };
  const auto ask = [&] {
    const auto tree = f.db->engine().merge_tree(query, CancelToken());
    REQUIRE(tree);
    CHECK_FALSE(tree->cost.partial.empty());
    CHECK(tree->tree.total[0] < want);
    CHECK(tree->tree.total[0] > 0);
    return tree->cost.partial.size();
  };
  SECTION("while their directories are known") {
    f.reopen("data/blocks");
    f.know_directories();
    lose();
    // Each time: the cache still has the directories.
    for (int i = 0; i < 3; ++i) CHECK(ask() == 20);
    CHECK(f.db->engine().label_names(query.tenant, {}, query.range, CancelToken()));
  }
  SECTION("before a query process starts") {
    lose();
    f.db.reset();
    f.db = f.open("reader", Role::query);
    for (int i = 0; i < 3; ++i) CHECK(ask() == 1);
    REQUIRE(f.db->store().compact_step(CancelToken()));
  }
  for (const auto& [key, bytes] : Day::get().hours) f.sim.replace(key, bytes);
  f.clock.advance(kHour);
  REQUIRE(f.db->store().compact_step(CancelToken()));
  CHECK(f.day_total() == want);
}

TEST_CASE("refusals, cut answers and slow ones change no answer", "[db][remote]") {
  Fixture f(Day::get().hours);
  const int64_t want = f.day_total();
  f.reopen("data/blocks");
  SECTION("refusals") {
    f.sim.set_error_percent(10);
  }
  SECTION("cut bodies and lost connections") {
    f.sim.add_fault({.fault = test::Fault::cut_body, .method = "GET", .skip = 2, .times = 5});
    f.sim.add_fault({.fault = test::Fault::dropped, .method = "GET", .skip = 9, .times = 3});
  }
  SECTION("one answer that takes long is overtaken") {
    f.sim.add_fault({.fault = test::Fault::hang,
                     .method = "GET",
                     .target = ".seg",
                     .skip = 30,
                     .times = 1,
                     .delay_ms = 4000});
    CHECK(f.day_total() == want);
    CHECK(f.db->remote_reading()->fetches.hedges >= 1);
  }
  CHECK(f.day_total() == want);
}

}  // namespace hearth
