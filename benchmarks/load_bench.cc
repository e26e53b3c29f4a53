// Databases under load that comes at its own pace: ten thousand services, small requests, queries
// beside writes.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "formats/decode.h"
#include "harness.h"
#include "hearth/clock.h"
#include "load.h"
#include "process_stats.h"
#include "query/engine.h"
#include "scratch_dir.h"
#include "stream.h"

namespace hearth::bench {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kOldTime = 1'700'000'000 * kSecondNs;
constexpr size_t kWriters = 8;

Params load_params(const Stream& stream, double rate, double seconds) {
  return {{"stream", stream.name},
          {"profiles/s", fmt::format("{:.0f}", rate)},
          {"seconds", fmt::format("{:.0f}", seconds)}};
}

// Ten thousand services that each send a profile every ten seconds, for options().load_seconds.
// The processor's share includes making the requests' labels and decoding, but no HTTP.
void run_paced_services(Context& context) {
  constexpr size_t kServices = 10'000;
  constexpr double kRate = kServices / 10.0;
  const Stream stream = streams(context, 50).front();
  const ScratchDir dir("paced");
  Database::Options options;
  options.data_dir = dir.path();
  const auto db = open_database(options);
  reset_peak_resident();
  const double cpu = cpu_seconds();
  const int64_t start_ns = system_clock().wall_ns();
  const PacedLoad load = paced_load(
      kWriters, kRate, context.options().load_seconds,
      [&](size_t i) {
        return try_ingest(*db, stream.gzip[(i / kServices + i) % stream.size()],
                          fmt::format("service-{}", i % kServices),
                          start_ns + static_cast<int64_t>(i) * kSecondNs / 1000);
      },
      false);
  const double share =
      (cpu_seconds() - cpu) / load.seconds / std::max(1U, std::thread::hardware_concurrency());
  const Params params = load_params(stream, kRate, context.options().load_seconds);
  const auto report = [&](const char* unit, double value) {
    context.report("rss-10k-services/paced", params, unit, {value});
  };
  report("% of all processors", 100 * share);
  report("MiB peak RSS", peak_resident_mib());
  report("MiB of dictionaries", static_cast<double>(db->store().stats().dictionary_bytes >> 20U));
  report("refused", static_cast<double>(load.refused));
  report("profiles", static_cast<double>(load.ack_us.size()));
  report("ack p99 ms", percentile(load.ack_us, 0.99) / 1e3);
}

// A profile of about 2 KB: forty stacks, known after the first.
std::string small_body(size_t i) {
  std::string text;
  for (size_t stack = 0; stack < 40; ++stack) {
    text += fmt::format("main;serve;handler{};store.Append{};part{} {}\n", stack % 7, stack % 5,
                        stack, 1 + (stack * 7 + i) % 90);
  }
  return text;
}

bool write_small(Database& db, size_t i) {
  thread_local formats::Decoder decoder;
  const std::string body = small_body(i);
  if (const Status s = decoder.decode(body, {}); !s) give_up(s.error().message);
  return try_commit(db, decoder.batch(), decoder.raw(), fmt::format("service-{}", i % 200),
                    kOldTime + static_cast<int64_t>(i) * 1'000'000);
}

// Small requests: as many as 64 writers get through, and how long an ack takes at 3,000 a second
// beside what the disk itself takes for a sync.
void run_small_requests(Context& context) {
  constexpr size_t kThreads = 64;
  constexpr double kRate = 3'000;
  constexpr size_t kCount = 30'000;
  const ScratchDir dir("small");
  Database::Options options;
  options.data_dir = dir.path();
  const auto db = open_database(options);
  const Params params = {{"writers", std::to_string(kThreads)},
                         {"bytes", std::to_string(small_body(0).size())}};
  std::vector<double> rates;
  for (size_t run = 0; run < 3; ++run) {
    const double begin = wall_seconds();
    const double cpu = cpu_seconds();
    in_parallel(kThreads, kCount, [&](size_t i) { (void)write_small(*db, run * kCount + i); });
    rates.push_back(kCount / (wall_seconds() - begin));
    context.report("head/small", params, "CPU us/request", {(cpu_seconds() - cpu) * 1e6 / kCount});
  }
  context.report("head/small", params, "requests/s", rates);
  std::vector<double> syncs = fdatasync_us(dir.path(), 200);
  const PacedLoad load = paced_load(
      kThreads, kRate, 5, [&](size_t i) { return write_small(*db, 3 * kCount + i); }, false);
  const std::vector<double> after = fdatasync_us(dir.path(), 200);
  syncs.insert(syncs.end(), after.begin(), after.end());
  Params paced = params;
  paced.emplace_back("requests/s", "3000");
  context.report("head/small", paced, "fdatasync p50 us", {percentile(syncs, 0.5)});
  context.report("head/small", paced, "fdatasync p99 us", {percentile(syncs, 0.99)});
  context.report("head/small", paced, "ack p50 us", {percentile(load.ack_us, 0.5)});
  context.report("head/small", paced, "ack p99 us", {percentile(load.ack_us, 0.99)});
  context.report("head/small", paced, "ack p99 / fdatasync p50",
                 {percentile(load.ack_us, 0.99) / percentile(syncs, 0.5)});
}

/// Milliseconds of flame graphs over `query`, one after the other, `count` of them.
std::vector<double> query_ms(Database& db, const query::ProfileQuery& query, size_t count) {
  std::vector<double> ms;
  for (size_t i = 0; i < count; ++i) {
    const double begin = wall_seconds();
    const auto merged = need(db.engine().merge_tree(query, {}));
    keep(merged.tree.cut(merged.tree.threshold(8192)));
    ms.push_back((wall_seconds() - begin) * 1e3);
    // Somebody looks at the answer before the next question.
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return ms;
}

query::ProfileQuery preloaded_query(Database& db, const Stream& stream, size_t profiles) {
  in_parallel(kWriters, profiles, [&](size_t i) {
    (void)try_ingest(db, stream.gzip[i % stream.size()], "asked",
                     kOldTime + static_cast<int64_t>(i) * kSecondNs);
  });
  need(db.store().seal());
  query::ProfileQuery query;
  query.type = *ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds");
  query.selector = *Selector::parse("{service_name=\"asked\"}");
  query.range = {kOldTime, kOldTime + static_cast<int64_t>(profiles) * kSecondNs};
  return query;
}

// Flame graphs of sealed profiles while others are written at half the rate that the machine can
// take, and without.
void run_under_ingest(Context& context) {
  constexpr size_t kServices = 200;
  constexpr size_t kQueries = 200;
  const Stream stream = streams(context, 228).front();
  const ScratchDir dir("under-ingest");
  Database::Options options;
  options.data_dir = dir.path();
  const auto db = open_database(options);
  const query::ProfileQuery query = preloaded_query(*db, stream, 1'000);
  const auto send = [&](size_t i) {
    return try_ingest(*db, stream.gzip[(i / kServices + i) % stream.size()],
                      fmt::format("service-{}", i % kServices),
                      kOldTime + 7'200 * kSecondNs + static_cast<int64_t>(i) * 1'000'000);
  };
  constexpr size_t kMost = 8'000;
  const double begin = wall_seconds();
  in_parallel(kWriters, kMost, [&](size_t i) { (void)send(i); });
  const double rate = kMost / (wall_seconds() - begin) / 2;

  const std::vector<double> idle = query_ms(*db, query, kQueries);
  std::atomic<bool> stop = false;
  PacedLoad load;
  std::vector<double> loaded;
  {
    const std::jthread writers([&] {
      load = paced_load(kWriters, rate, 600, [&](size_t i) { return send(kMost + i); }, stop);
    });
    loaded = query_ms(*db, query, kQueries);
    stop = true;
  }
  const Params params = {{"stream", stream.name}, {"writes/s", fmt::format("{:.0f}", rate)}};
  for (const double q : {0.5, 0.99}) {
    const std::string p = fmt::format("p{:.0f}", q * 100);
    context.report("query/under-ingest", params, p + " idle ms", {percentile(idle, q)});
    context.report("query/under-ingest", params, p + " under ingest ms", {percentile(loaded, q)});
    context.report("query/under-ingest", params, p + " under ingest / idle",
                   {percentile(loaded, q) / percentile(idle, q)});
    context.report("query/under-ingest", params, "ack " + p + " ms",
                   {percentile(load.ack_us, q) / 1e3});
  }
  context.report("query/under-ingest", params, "refused", {static_cast<double>(load.refused)});
}

const Registration kPaced("rss-10k-services/paced", run_paced_services);
const Registration kSmall("head/small", run_small_requests);
const Registration kUnder("query/under-ingest", run_under_ingest);

}  // namespace
}  // namespace hearth::bench
