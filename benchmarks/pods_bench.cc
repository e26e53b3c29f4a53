// A day of one service: as many pods as --pods says (100), a profile every ten seconds each. The
// profiles are made as rows, not as pprof, so that a day takes minutes to build; from fresh
// segments on everything is done as a server does it.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "base/random.h"
#include "dataset.h"
#include "harness.h"
#include "need.h"
#include "objstore/local_store.h"
#include "objstore/s3_store.h"
#include "query/engine.h"
#include "storage/absorbed_set.h"
#include "storage/remote_reading.h"
#include "storage/segment_writer.h"
#include "storage/store.h"
#include "stream.h"
#include "support/manual_clock.h"
#include "support/read_file.h"
#include "support/s3sim/s3_sim.h"
#include "support/temp_dir.h"

namespace hearth::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kHour = 3600 * kSecond;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kMidnight = 1'700'000'000 * kSecond / kDay * kDay;
constexpr size_t kHours = 24;
constexpr size_t kProfilesPerHour = 360;
constexpr size_t kKnownProfiles = 1000;
constexpr int64_t kLatencyMs = 30;

void need_done(const Status& status) {
  if (!status) give_up(status.error().message);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double cpu_seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// Profiles of pods that run the same program: each takes three quarters of its rows from one
/// profile of a generated stream that lies near in time, the rest from another one.
class Pods {
 public:
  explicit Pods(size_t pods)
      : pods_(pods),
        known_(make_dataset(generated_stream(StreamKind::cpu, kKnownProfiles), kKnownProfiles)) {}

  /// An hour of pods [first, last) as one dataset.
  storage::DatasetInput hour(size_t hour, size_t first, size_t last) {
    storage::DatasetInput out;
    out.tenant = "anonymous";
    out.service = "pods";
    out.family = known_.family;
    out.family.period = {"cpu", "nanoseconds"};
    out.symbols = known_.symbols;
    out.row_begin.push_back(0);
    for (size_t pod = first; pod < last; ++pod) {
      out.series.push_back(*LabelSet::make({{"__name__", "process_cpu"},
                                            {"pod", fmt::format("pod-{:03}", pod)},
                                            {"service_name", "pods"}}));
      for (size_t t = 0; t < kProfilesPerHour; ++t) add_profile(hour, pod, pod - first, t, out);
    }
    return out;
  }
  [[nodiscard]] size_t profiles() const { return pods_ * kHours * kProfilesPerHour; }
  [[nodiscard]] uint64_t rows() const { return rows_; }

 private:
  void add_profile(size_t hour, size_t pod, size_t series, size_t t, storage::DatasetInput& out) {
    const size_t middle = hour * kKnownProfiles / kHours;
    const size_t near = (middle + random_() % (kKnownProfiles / 8)) % kKnownProfiles;
    const size_t other = random_() % kKnownProfiles;
    const auto id = pod * kHours * kProfilesPerHour + hour * kProfilesPerHour + t;
    out.profile_series.push_back(static_cast<uint32_t>(series));
    out.profile_start_ns.push_back(kMidnight + static_cast<int64_t>(hour) * kHour +
                                   static_cast<int64_t>(t) * 10 * kSecond +
                                   static_cast<int64_t>(pod * 100'000'000 + random_() % 1'000'000));
    out.profile_duration_ns.push_back(10 * kSecond);
    out.profile_period.push_back(known_.profile_period[near]);
    out.profile_id.push_back({id * 0x9e3779b97f4a7c15U, ~id * 0xbf58476d1ce4e5b9U});
    taken_.clear();
    take(near, 0, 3);
    take(other, 3, 4);
    std::ranges::sort(taken_);
    const size_t types = known_.family.types.size();
    for (size_t i = 0; i < taken_.size(); ++i) {
      const auto [key, row] = taken_[i];
      if (i > 0 && key == taken_[i - 1].first) continue;
      out.row_key.push_back(key);
      for (size_t v = 0; v < types; ++v) out.row_value.push_back(known_.row_value[row * types + v]);
      ++rows_;
    }
    out.row_begin.push_back(static_cast<uint32_t>(out.row_key.size()));
  }
  /// Rows of a known profile whose random quarter is in [from, to).
  void take(size_t profile, uint32_t from, uint32_t to) {
    uint64_t dice = 0;
    for (uint32_t r = known_.row_begin[profile]; r < known_.row_begin[profile + 1]; ++r) {
      if (dice < 4) dice = random_() | uint64_t{1} << 63U;
      const auto quarter = static_cast<uint32_t>(dice & 3U);
      dice >>= 2U;
      if (from <= quarter && quarter < to) taken_.emplace_back(known_.row_key[r], r);
    }
  }
  uint64_t random_() {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    return state_ ^= state_ << 17U;
  }

  size_t pods_;
  storage::DatasetInput known_;
  std::vector<std::pair<uint32_t, uint32_t>> taken_;
  uint64_t state_ = 88172645463325252U;
  uint64_t rows_ = 0;
};

/// A store over a bucket, in a data folder of its own, with a query engine.
struct Node {
  Node(std::shared_ptr<ObjectStore> bucket, const Clock& clock, bool remote)
      : random(seeded_random(1)) {
    storage::Store::Options options;
    options.data_dir = dir.path() + "/data";
    std::filesystem::create_directories(options.data_dir);
    options.bucket = std::move(bucket);
    options.files = &posix_file_system();
    options.clock = &clock;
    options.random = random.get();
    options.memory = &memory;
    options.writer_version = "bench";
    if (remote) {
      reading = std::make_unique<storage::RemoteReading>(
          storage::RemoteReading::Options{.path = dir.path() + "/blocks",
                                          .disk_bytes = 1U << 30U,
                                          .requests = 32,
                                          .memory = &memory});
      options.remote = reading->reads();
    }
    store = need(storage::Store::open(std::move(options)));
    forget();
  }
  /// A new engine has nothing decoded.
  void forget() {
    engine = std::make_unique<query::Engine>(query::Engine::Options{store.get(), &memory});
  }

  /// As after a query of other services.
  void know_directories() const { need(store->view(Tenant::anonymous(), {})); }

  test::TempDir dir;
  MemoryAccountant memory{8ULL << 30U};
  std::unique_ptr<Random> random;
  std::unique_ptr<storage::RemoteReading> reading;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<query::Engine> engine;
};

/// What is asked, with what it must find.
struct Question {
  std::string name;
  int64_t begin_ns, end_ns;
  enum class Kind : unsigned char { tree, series, rows, pprof } kind = Kind::tree;
};

query::ProfileQuery query_of(const Question& question) {
  query::ProfileQuery query;
  query.type = need(ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds"));
  query.selector = need(Selector::parse(R"({service_name="pods"})"));
  query.range = {question.begin_ns, question.end_ns - 1};
  return query;
}

void need_whole(const query::Cost& cost) {
  if (!cost.partial.empty()) give_up("an answer without a part: " + cost.partial.front());
  if (cost.profiles == 0) give_up("an answer without profiles");
}

void ask(query::Engine& engine, const Question& question) {
  switch (question.kind) {
    case Question::Kind::tree: {
      const auto result = need(engine.merge_tree(query_of(question), {}));
      need_whole(result.cost);
      keep(result.tree.threshold(16'384));
      return;
    }
    case Question::Kind::series: {
      query::SeriesQuery series;
      series.profile = query_of(question);
      series.step_ms = 60'000;
      const auto result = need(engine.select_series(series, {}));
      need_whole(result.cost);
      keep(result);
      return;
    }
    // The page shows where functions are, which a rollup does not know.
    case Question::Kind::rows: {
      const auto result = need(engine.merge_placed_tree(query_of(question), {}));
      need_whole(result.cost);
      keep(result.tree.threshold(16'384));
      return;
    }
    case Question::Kind::pprof: {
      const auto result = need(engine.merge_profile(query_of(question), {}));
      need_whole(result.cost);
      keep(result);
      return;
    }
  }
}

class PodsDay {
 public:
  explicit PodsDay(Context& context)
      : context_(context), pods_(std::max<size_t>(context.options().pods, 1)) {
    clock_.advance(kMidnight + kDay + 2 * kHour - clock_.wall_ns());
  }

  void run() {
    build();
    const auto local = open_bucket();
    Node node(local, clock_, false);
    compact(node, "hours", false);
    ask_local(node, "hours");
    ask_remote("hours");
    compact(node, "day", true);
    ask_local(node, "day");
    ask_remote("day");
  }

 private:
  [[nodiscard]] std::string bucket_path() const { return dir_.path() + "/bucket"; }
  std::shared_ptr<ObjectStore> open_bucket() {
    return need(objstore::open_local_store(posix_file_system(), bucket_path()));
  }
  [[nodiscard]] Params params(const std::string& state) const {
    return {{"pods", std::to_string(pods_)}, {"segments", state}};
  }
  void report(const std::string& what, const std::string& state, const std::string& unit,
              std::vector<double> values) {
    context_.report("query/pods-24h/" + what, params(state), unit, std::move(values));
  }
  [[nodiscard]] uint64_t bucket_bytes(const std::string& folder) const {
    uint64_t bytes = 0;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(bucket_path() + "/" + folder)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    return bytes;
  }

  // Fresh segments, of a tenth of the pods and an hour each.
  void build() {
    const double began = seconds_now();
    Pods pods(pods_);
    const double known = seconds_now();
    const auto bucket = open_bucket();
    const auto random = seeded_random(2);
    const size_t each = std::max<size_t>(pods_ / 10, 1);
    uint64_t sequence = 0;
    for (size_t hour = 0; hour < kHours; ++hour) {
      for (size_t first = 0; first < pods_; first += each) {
        const auto input = pods.hour(hour, first, std::min(first + each, pods_));
        storage::SegmentWriter::Options options;
        options.object_key = storage::fresh_key("0123456789abcdef", sequence++);
        options.uuid = random_uuid(*random);
        options.writer_version = "bench";
        std::string bytes;
        storage::SegmentWriter writer(options, [&bytes](std::string_view part) {
          bytes += part;
          return Status{};
        });
        need_done(writer.add(input));
        need_done(writer.finish());
        need(bucket->put_if_absent(options.object_key, bytes));
      }
    }
    profiles_ = static_cast<double>(pods.profiles());
    report("build", "fresh", "s", {seconds_now() - known});
    report("stream", "fresh", "s", {known - began});
    report("rows", "fresh", "rows/profile", {static_cast<double>(pods.rows()) / profiles_});
    report("bytes", "fresh", "B/profile", {static_cast<double>(bucket_bytes("l0")) / profiles_});
  }

  void compact(Node& node, const std::string& state, bool force) {
    const double began = seconds_now();
    const double cpu = cpu_seconds_now();
    need(node.store->compact(force, CancelToken()));
    report("compact", state, "s", {seconds_now() - began});
    report("compact", state, "us/profile on cpu", {(cpu_seconds_now() - cpu) / profiles_ * 1e6});
    // Replaced objects wait for a while; what is live counts.
    const auto levels = node.store->stats().compaction.levels;
    double live = 0;
    double segments = 0;
    for (const auto& level : levels) {
      live += static_cast<double>(level.bytes);
      segments += static_cast<double>(level.segments);
    }
    report("bytes", state, "B/profile", {live / profiles_});
    report("segments", state, "objects", {segments});
  }

  [[nodiscard]] static std::vector<Question> questions(const std::string& state) {
    using Kind = Question::Kind;
    std::vector<Question> out;
    if (state == "hours") {
      out.push_back({"1 h", kMidnight + 7 * kHour, kMidnight + 8 * kHour});
      out.push_back({"23 h", kMidnight, kMidnight + 23 * kHour});
    }
    out.push_back({"24 h", kMidnight, kMidnight + kDay});
    out.push_back({"series 24 h, 60 s", kMidnight, kMidnight + kDay, Kind::series});
    return out;
  }

  void time_question(Node& node, const Question& question, const std::string& state, bool fresh) {
    std::vector<double> wall;
    std::vector<double> cpu;
    if (!fresh) ask(*node.engine, question);
    for (size_t i = 0; i < context_.options().runs; ++i) {
      if (fresh) node.forget();
      const double began = seconds_now();
      const double cpu_began = cpu_seconds_now();
      ask(*node.engine, question);
      wall.push_back((seconds_now() - began) * 1e3);
      cpu.push_back((cpu_seconds_now() - cpu_began) * 1e3);
    }
    const std::string name = question.name + (fresh ? ", cold" : ", warm");
    report(name, state, "ms", wall);
    report(name, state, "ms on cpu", cpu);
  }

  void ask_local(Node& node, const std::string& state) {
    for (const Question& question : questions(state)) {
      time_question(node, question, state, true);
      time_question(node, question, state, false);
    }
    if (pods_ > 4) return;
    const Question rows{"24 h, rows", kMidnight, kMidnight + kDay, Question::Kind::rows};
    time_question(node, rows, state, true);
    const Question pprof{"24 h, pprof", kMidnight, kMidnight + kDay, Question::Kind::pprof};
    time_question(node, pprof, state, true);
  }

  // The same objects at a service that takes its time.
  void ask_remote(const std::string& state) {
    test::S3Sim sim;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(bucket_path())) {
      if (!entry.is_regular_file()) continue;
      sim.replace("p/" + std::filesystem::relative(entry.path(), bucket_path()).string(),
                  test::read_file(entry.path()));
    }
    objstore::S3Options options;
    options.bucket = "test";
    options.prefix = "p";
    options.endpoint = sim.endpoint();
    const objstore::Variables keys{{"AWS_ACCESS_KEY_ID", "test-key"},
                                   {"AWS_SECRET_ACCESS_KEY", "test-secret"}};
    const auto random = seeded_random(3);
    for (const Question& question : questions(state)) {
      const auto open = [&] {
        return need(objstore::open_s3_store(options, keys, system_clock(), *random));
      };
      Node node(open(), clock_, true);
      Node knowing(open(), clock_, true);
      knowing.know_directories();
      sim.set_latency_ms(kLatencyMs);
      remote_question(node, sim, question, state, "nothing cached");
      remote_question(node, sim, question, state, "asked again");
      node.forget();
      remote_question(node, sim, question, state, "bytes cached");
      remote_question(knowing, sim, question, state, "directories known");
      sim.set_latency_ms(0);
    }
  }
  void remote_question(Node& node, test::S3Sim& sim, const Question& question,
                       const std::string& state, const std::string& cached) {
    const test::S3SimCounts before = sim.counts();
    const uint64_t hedges_before = node.reading->stats().fetches.hedges;
    const double began = seconds_now();
    ask(*node.engine, question);
    const double ms = (seconds_now() - began) * 1e3;
    const test::S3SimCounts after = sim.counts();
    const std::string name = fmt::format("s3 {}, {}", question.name, cached);
    report(name, state, "ms", {ms});
    const uint64_t hedges = node.reading->stats().fetches.hedges - hedges_before;
    report(name, state, "GETs", {static_cast<double>(after.get - before.get - hedges)});
    report(name, state, "hedged GETs", {static_cast<double>(hedges)});
    report(name, state, "bytes", {static_cast<double>(after.bytes_out - before.bytes_out)});
  }

  Context& context_;
  const size_t pods_;
  double profiles_ = 0;
  test::TempDir dir_;
  test::ManualClock clock_;
};

void run_pods(Context& context) {
  PodsDay(context).run();
}

const Registration kPods("query/pods-24h", run_pods);

}  // namespace
}  // namespace hearth::bench
