#include "db/database.h"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "base/log.h"
#include "db/demo_data.h"
#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/temp_dir.h"

namespace hearth {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kProfilesOfAStep = 3 * 3 * 4;  // Services, regions, kinds.

/// Collects log lines while it lives.
class LogLines {
 public:
  LogLines() {
    log::set_sink([this](log::Level, std::string_view line) {
      const std::lock_guard lock(mutex_);
      text_ += std::string(line) + "\n";
      changed_.notify_all();
    });
  }
  ~LogLines() { log::set_sink({}); }
  LogLines(const LogLines&) = delete;
  LogLines& operator=(const LogLines&) = delete;

  bool has(const std::string& part, std::chrono::seconds wait = std::chrono::seconds(0)) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, wait, [&] { return text_.find(part) != std::string::npos; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string text_;
};

/// A database in a directory of its own, on a clock that the test moves.
struct Fixture {
  test::TempDir dir;
  test::ManualClock clock;
  LogLines log;
  std::unique_ptr<Database> db;

  Fixture() { open(); }
  Database::Options options() const {
    Database::Options out;
    out.data_dir = dir.path() + "/data";
    out.clock = &clock;
    out.maintenance_thread = false;
    return out;
  }
  void open() {
    db.reset();
    auto opened = Database::open(options());
    REQUIRE(opened);
    db = std::move(*opened);
  }
  uint64_t write_steps(int64_t steps, uint64_t seed = 1) {
    demo::Options demo;
    demo.end_ns = clock.wall_ns();
    demo.length_ns = steps * demo.step_ns;
    demo.seed = seed;
    const auto written = demo::write(*db, Tenant::anonymous(), demo, CancelToken());
    REQUIRE(written);
    return *written;
  }
  query::FunctionTree tree(const std::string& selector) {
    query::ProfileQuery query;
    query.type = ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds").value();
    query.selector = Selector::parse(selector).value();
    auto result = db->engine().merge_tree(query, CancelToken());
    REQUIRE(result);
    CHECK(result->cost.partial.empty());
    return std::move(result->tree);
  }
};

bool same(const query::FunctionTree& a, const query::FunctionTree& b) {
  return a.names == b.names && a.parent == b.parent && a.name == b.name && a.total == b.total;
}

/// Share of `function` in the whole, by self and callees; it must not call itself.
double share(const query::FunctionTree& tree, const std::string& function) {
  int64_t sum = 0;
  for (size_t node = 0; node < tree.size(); ++node) {
    if (tree.names[tree.name[node]] == function) sum += tree.total[node];
  }
  return static_cast<double>(sum) / static_cast<double>(tree.total[0]);
}

TEST_CASE("what was written is there, and the same, after closing, sealing and opening again",
          "[db]") {
  Fixture f;
  REQUIRE(f.write_steps(2) == 2 * kProfilesOfAStep);
  const query::FunctionTree before = f.tree("{}");
  REQUIRE(before.total[0] > 0);

  f.open();
  CHECK(f.log.has("unsealed_profiles=72 "));
  CHECK(f.db->store().stats().segments == 0);  // A stop seals nothing.
  CHECK(same(f.tree("{}"), before));

  REQUIRE(f.db->store().seal() == 2 * kProfilesOfAStep);
  CHECK(f.log.has("msg=sealed "));
  CHECK(f.log.has("profiles=72 "));
  f.open();
  CHECK(f.log.has("unsealed_profiles=0 "));
  CHECK(f.db->store().stats().segments == 1);
  CHECK(same(f.tree("{}"), before));
}

TEST_CASE("maintenance seals when the interval is over, not before", "[db]") {
  Fixture f;
  f.write_steps(1);
  f.clock.advance(599 * kSecond);
  REQUIRE(f.db->store().step());
  CHECK(f.db->store().stats().segments == 0);
  f.clock.advance(2 * kSecond);
  REQUIRE(f.db->store().step());
  CHECK(f.db->store().stats().segments == 1);
}

TEST_CASE("seals are ten minutes apart unless the bucket outlives the folder", "[db]") {
  Fixture f;
  CHECK(f.db->options().seal_interval_ns == 600 * kSecond);
  Database::Options options = f.options();
  options.data_dir += "-2";
  options.bucket = options.data_dir + "-bucket";
  auto opened = Database::open(options);
  REQUIRE(opened);
  CHECK((*opened)->options().seal_interval_ns == 60 * kSecond);
}

TEST_CASE("how much starts a seal and may wait follows from the memory limit", "[db]") {
  Fixture f;
  struct Want {
    size_t limit_mib;
    uint64_t seal_mib, spool_mib;
  };
  for (const auto& [limit, seal, spool] :
       {Want{512, 32, 256}, {6'144, 96, 384}, {65'536, 128, 512}}) {
    Database::Options options = f.options();
    options.data_dir += "-" + std::to_string(limit);
    options.memory_limit_bytes = limit << 20U;
    const auto opened = Database::open(options);
    REQUIRE(opened);
    CHECK((*opened)->options().seal_bytes == seal << 20U);
    CHECK((*opened)->options().spool_bytes == spool << 20U);
  }
}

TEST_CASE("the maintenance thread seals by itself", "[db]") {
  Fixture f;
  Database::Options options = f.options();
  options.data_dir += "-2";
  options.clock = nullptr;
  options.seal_interval_ns = 1;
  options.maintenance_thread = true;
  auto opened = Database::open(options);
  REQUIRE(opened);
  f.db = std::move(*opened);
  f.write_steps(1);
  CHECK(f.log.has("msg=sealed ", std::chrono::seconds(30)));
}

TEST_CASE("a second database on the same directory is refused and told who has it", "[db]") {
  Fixture f;
  const auto second = Database::open(f.options());
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find("uses it") != std::string::npos);
}

TEST_CASE("what is not given is taken from the machine", "[db]") {
  Fixture f;
  CHECK(f.db->memory().limit() == machine_memory_bytes() / 2);
  CHECK(f.db->options().random != nullptr);
  CHECK(f.db->options().files != nullptr);
}

TEST_CASE("demo data is the same for the same seed, and another for another", "[db]") {
  Fixture a, b, c;
  a.write_steps(3);
  b.write_steps(3);
  c.write_steps(3, 2);
  CHECK(same(a.tree("{}"), b.tree("{}")));
  CHECK_FALSE(same(a.tree("{}"), c.tree("{}")));
}

TEST_CASE("demo data has the planted regression", "[db]") {
  Fixture f;
  f.write_steps(60);
  const auto grown = [&](const std::string& service) {
    const std::string of = "{service_name=\"" + service + "\",version=";
    return share(f.tree(of + "\"2.4.1\"}"), "acme.Encode") /
           share(f.tree(of + "\"2.4.0\"}"), "acme.Encode");
  };
  CHECK(grown("checkout") > 1.3);
}

TEST_CASE("demo data stops when it is cancelled, and what was written stays", "[db]") {
  Fixture f;
  const CancelToken cancel(f.clock, INT64_MAX);
  demo::Options demo;
  demo.end_ns = f.clock.wall_ns();
  demo.progress = [&](uint64_t done, uint64_t) {
    if (done == 2 * kProfilesOfAStep) cancel.cancel();
  };
  const auto written = demo::write(*f.db, Tenant::anonymous(), demo, cancel);
  REQUIRE_FALSE(written);
  CHECK(written.error().code == ErrorCode::cancelled);
  CHECK(f.db->store().stats().profiles_total == 2 * kProfilesOfAStep);
}

}  // namespace
}  // namespace hearth
