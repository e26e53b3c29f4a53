// Beside others: `go tool pprof` merging the same files, and the raw profiles in zstd.
#include <fmt/format.h>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "api/flame_graph.h"
#include "base/zstd_codec.h"
#include "harness.h"
#include "load.h"
#include "process_stats.h"
#include "query/engine.h"
#include "scratch_dir.h"
#include "stream.h"

namespace hearth::bench {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kStart = 1'699'920'000 * kSecondNs;
constexpr size_t kProfiles = 228;

/// Milliseconds of CPU time of a shell command; the end of the benchmark when it fails.
double command_cpu_ms(const std::string& command) {
  const double before = children_cpu_seconds();
  if (std::system(command.c_str()) != 0) give_up("failed: " + command);
  return (children_cpu_seconds() - before) * 1e3;
}

/// Milliseconds of CPU time of the flame graph, as JSON, of all profiles of the store: each from
/// its bytes, in a fresh engine.
std::vector<double> flame_graph_cpu_ms(Context& context, Database& db, size_t profiles) {
  query::ProfileQuery query;
  query.type = *ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  std::vector<double> ms;
  for (size_t run = 0; run < context.options().runs; ++run) {
    query::Engine engine({.store = &db.store(), .memory = &db.memory()});
    const double before = cpu_seconds();
    const auto merged = need(engine.merge_tree(query, {}));
    if (merged.cost.profiles != profiles) give_up("profiles are missing in a merge");
    std::string json;
    api::append_proto_json(json, api::flame_graph(merged.tree, merged.tree.threshold(16'384)));
    keep(json);
    ms.push_back((cpu_seconds() - before) * 1e3);
  }
  return ms;
}

struct OurTimes {
  std::vector<double> from_rows;  ///< As sealed, before anything else was done to it.
  std::vector<double> compacted;  ///< As it lies after its hour: with a rollup.
};
OurTimes our_times(Context& context, const Stream& stream, const std::string& dir) {
  Database::Options options;
  options.data_dir = dir + "/data";
  options.maintenance_thread = false;
  const auto db = open_database(options);
  in_parallel(8, stream.size(), [&](size_t i) {
    if (!try_ingest(*db, stream.gzip[i], "shop", kStart + static_cast<int64_t>(i) * kSecondNs))
      give_up("the store is full");
  });
  need(db->store().seal());
  OurTimes times;
  times.from_rows = flame_graph_cpu_ms(context, *db, stream.size());
  need(db->store().compact(true, {}));
  times.compacted = flame_graph_cpu_ms(context, *db, stream.size());
  return times;
}

// As the page of a flame graph asks: all profiles of a service, one tree. pprof reads the files
// that the agents sent; its symbolisation is off, its output small.
void run_go_pprof(Context& context) {
  const Stream stream = streams(context, kProfiles).front();
  const ScratchDir dir("pprof");
  std::filesystem::create_directories(dir.path());
  const OurTimes ours = our_times(context, stream, dir.path());
  const Params params = {{"stream", stream.name}, {"profiles", std::to_string(stream.size())}};
  const auto with = [&](const char* variant) {
    Params out = params;
    out.emplace_back("variant", variant);
    return out;
  };
  context.report("merge-files", with("hearth, cold"), "CPU ms", ours.compacted);
  context.report("merge-files", with("hearth, cold, from rows"), "CPU ms", ours.from_rows);
  if (std::system("command -v go >/dev/null 2>&1") != 0) return;
  for (size_t i = 0; i < stream.size(); ++i)
    std::ofstream(fmt::format("{}/{:03}.pb.gz", dir.path(), i), std::ios::binary) << stream.gzip[i];
  const std::string quiet = " >/dev/null 2>&1";
  const std::string pprof = "go tool pprof -symbolize=none -top -nodecount=10 " + dir.path();
  command_cpu_ms(pprof + "/000.pb.gz" + quiet);  // Newer Go builds the tool first.
  std::vector<double> theirs;
  std::vector<double> one;
  for (size_t run = 0; run < 3; ++run) {
    theirs.push_back(command_cpu_ms(pprof + "/*.pb.gz" + quiet));
    one.push_back(command_cpu_ms(pprof + "/000.pb.gz" + quiet));
  }
  context.report("merge-files", with("go tool pprof"), "CPU ms", theirs);
  context.report("merge-files", with("go tool pprof, one file"), "CPU ms", one);
  const auto ratio = [&](const char* variant, const std::vector<double>& times) {
    context.report("merge-files", with(variant), "x",
                   {percentile(theirs, 0.5) / percentile(times, 0.5)});
  };
  ratio("go tool pprof / hearth", ours.compacted);
  ratio("go tool pprof / hearth from rows", ours.from_rows);
}

// Bytes of the raw profiles when each is compressed alone, and all together: what a store gets that
// knows nothing of profiles.
void run_zstd(Context& context) {
  for (const Stream& stream : streams(context, kProfiles)) {
    std::string all;
    for (const std::string& raw : stream.raw) all += raw;
    const auto n = static_cast<double>(stream.size());
    const auto report = [&](const std::string& variant, double bytes) {
      context.report("size/zstd",
                     {{"stream", stream.name},
                      {"profiles", std::to_string(stream.size())},
                      {"variant", variant}},
                     "B/profile", {bytes / n});
    };
    report("gzip, as sent", stream.gzip_bytes());
    for (const int level : {3, 19}) {
      double each = 0;
      for (const std::string& raw : stream.raw)
        each += static_cast<double>(zstd_compress(raw, level).size());
      report(fmt::format("zstd-{} of each", level), each);
      report(fmt::format("zstd-{} of all", level),
             static_cast<double>(zstd_compress(all, level).size()));
    }
  }
}

const Registration kPprof("merge-files", run_go_pprof);
const Registration kZstd("size/zstd", run_zstd);

}  // namespace
}  // namespace hearth::bench
