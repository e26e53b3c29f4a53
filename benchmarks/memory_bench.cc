// The program's memory as the kernel counts it, beside the limit it was given: under ten thousand
// services that send for minutes, and while more rows than the limit are merged.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "formats/pprof_decoder.h"
#include "formats/pprof_encoder.h"
#include "harness.h"
#include "load.h"
#include "poster.h"
#include "process_stats.h"
#include "scratch_dir.h"
#include "served.h"
#include "stream.h"

namespace hearth::bench {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr size_t kWriters = 64;

/// The bodies of a stream without the times at which its profiles were taken, so that those of the
/// requests count.
std::vector<std::string> timeless_bodies(const Stream& stream) {
  std::vector<std::string> bodies;
  ProfileBatch batch;
  for (const std::string& raw : stream.raw) {
    if (const Status s = formats::decode_pprof(raw, {}, batch); !s) give_up(s.error().message);
    batch.time_ns = 0;
    bodies.push_back(formats::encode_pprof_gzip(batch, 6));
  }
  return bodies;
}

/// The sum over a metric's series.
double metric(uint16_t port, const std::string& name) {
  const std::string text = Poster(port).get("/metrics");
  double sum = 0;
  for (size_t at = text.find("\n" + name); at != std::string::npos;
       at = text.find("\n" + name, at + 1)) {
    const size_t end = text.find('\n', at + 1);
    const size_t value = text.rfind(' ', end);
    const char next = text[at + 1 + name.size()];
    if (next == ' ' || next == '{') sum += std::stod(text.substr(value + 1));
  }
  return sum;
}

/// Watches the part of a process's memory that is not mapped files; the kernel keeps no peak of it.
class AnonymousPeak {
 public:
  explicit AnonymousPeak(const Served& served)
      : thread_([this, &served](const std::stop_token& stop) {
          while (!stop.stop_requested()) {
            mib_ = std::max(mib_.load(), served.memory_mib("RssAnon"));
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
          }
        }) {}
  [[nodiscard]] double mib() const { return mib_; }

 private:
  std::atomic<double> mib_ = 0;
  std::jthread thread_;
};

/// Sends a profile on this thread's connection. False when it is to be sent later: so the server
/// says, or it closes the connection before it has read a body that it has no room for.
bool send(uint16_t port, const std::string& body, const std::string& service, int64_t time_ns,
          size_t number) {
  thread_local std::unique_ptr<Poster> poster;
  thread_local uint16_t connected_to = 0;
  if (!poster || connected_to != port) poster = std::make_unique<Poster>(port);
  connected_to = port;
  const int status =
      poster->post(fmt::format("/ingest?name={}&from={}", service, time_ns), body, number);
  if (status != 200) poster.reset();
  if (status != 0 && status != 200 && status != 429 && status != 503)
    give_up(fmt::format("answer {}", status));
  return status == 200;
}

void report_memory(Context& context, const std::string& name, const Params& params,
                   const Served& served, const AnonymousPeak& anonymous, double limit_mib) {
  const double peak = served.memory_mib("VmHWM");
  context.report(name, params, "MiB peak RSS", {peak});
  context.report(name, params, "MiB peak without mapped files", {anonymous.mib()});
  context.report(name, params, "peak RSS / memory.limit", {peak / limit_mib});
}

// Ten thousand services that each send a profile every ten seconds, for options().load_seconds;
// with fewer of them in as much less memory.
void run_services(Context& context) {
  const size_t services = context.options().services;
  const size_t limit_mib = 8 * 1024 * services / 10'000;
  const Stream stream = streams(context, 228).front();
  const std::vector<std::string> bodies = timeless_bodies(stream);
  const ScratchDir dir("memory");
  Served served(dir.path(), {"--memory.limit", fmt::format("{}MiB", limit_mib),
                             "--memory.dictionary", fmt::format("{}MiB", limit_mib / 4 * 3)});
  const int64_t begin_ns =
      std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
  const AnonymousPeak anonymous(served);
  std::atomic<bool> ended = false;
  std::jthread watch([&](const std::stop_token& stop) {
    for (size_t s = 0; !stop.stop_requested(); ++s) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      if (s % 30 != 29) continue;
      std::fprintf(stderr,
                   "%4zu s: RSS %.0f MiB, anonymous %.0f, accounted %.0f, dictionaries %.0f (%.0f "
                   "shed), CPU %.0f s\n",
                   s + 1, served.memory_mib("VmRSS"), served.memory_mib("RssAnon"),
                   metric(served.port(), "hearth_memory_used_bytes") / 1048576,
                   metric(served.port(), "hearth_dictionary_bytes") / 1048576,
                   metric(served.port(), "hearth_epochs_shed_total"), served.cpu_seconds());
    }
  });
  const PacedLoad load = paced_load(
      kWriters, static_cast<double>(services) / 10, context.options().load_seconds,
      [&](size_t i) {
        const size_t service = i % services;
        // Each service is somewhere else in the stream, and goes on from there.
        return send(
            served.port(), bodies[(i / services + service * 7) % bodies.size()],
            fmt::format("service-{}", service),
            begin_ns + static_cast<int64_t>(i) * 10 * kSecondNs / static_cast<int64_t>(services),
            i);
      },
      ended);
  const Params params = {{"stream", stream.name},
                         {"services", std::to_string(services)},
                         {"memory.limit MiB", std::to_string(limit_mib)},
                         {"seconds", fmt::format("{:.0f}", context.options().load_seconds)}};
  const auto add = [&](const char* unit, double value) {
    context.report("memory/10k-services", params, unit, {value});
  };
  add("% of all processors", 100 * served.cpu_seconds() / load.seconds /
                                 std::max(1U, std::thread::hardware_concurrency()));
  report_memory(context, "memory/10k-services", params, served, anonymous,
                static_cast<double>(limit_mib));
  add("MiB of dictionaries", metric(served.port(), "hearth_dictionary_bytes") / 1048576);
  add("dictionaries shed", metric(served.port(), "hearth_epochs_shed_total"));
  add("profiles", static_cast<double>(load.ack_us.size()));
  add("lost", static_cast<double>(load.ack_us.size() - load.refused) -
                  metric(served.port(), "hearth_profiles_stored_total"));
  add("refused", static_cast<double>(load.refused));
  add("ack p50 ms", percentile(load.ack_us, 0.5) / 1e3);
  add("ack p99 ms", percentile(load.ack_us, 0.99) / 1e3);
}

// Rows that decoded take more than 2 GB, of three hours and mostly of one service, merged by hours
// and to a day by a program that may use 1 GiB.
void run_compaction(Context& context) {
  constexpr double kLimitMib = 1024;
  constexpr double kRowBytes = 20;  // A key and two values.
  constexpr double kWantedRows = 2.0e9 / kRowBytes;
  constexpr int64_t kDay = 1'700'006'400 * kSecondNs;
  constexpr size_t kBatch = 4'000;
  constexpr size_t kServices = 10;
  const Stream stream = streams(context, 228).front();
  const std::vector<std::string> bodies = timeless_bodies(stream);
  const ScratchDir dir("memory");
  Served served(dir.path(), {"--memory.limit", "1GiB"});
  size_t sent = 0;
  std::atomic<size_t> refused = 0;
  double rows = 0;
  for (; rows < kWantedRows; sent += kBatch) {
    in_parallel(kWriters, kBatch, [&](size_t i) {
      const size_t n = sent + i;
      const size_t service = n % 2 == 0 ? 0 : n / 2 % kServices;
      // 100 ms apart, then the same three hours again.
      const int64_t time_ns =
          kDay + static_cast<int64_t>(n) * kSecondNs / 10 % (10'800 * kSecondNs);
      while (!send(served.port(), bodies[n % bodies.size()], fmt::format("service-{}", service),
                   time_ns, n)) {
        ++refused;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
      }
    });
    rows = metric(served.port(), "hearth_rows_total");
  }
  const double ingest_peak = served.memory_mib("VmHWM");
  served.reset_peak();
  const AnonymousPeak anonymous(served);
  const double begin = wall_seconds();
  const double cpu = served.cpu_seconds();
  Poster(served.port()).must_post("/api/v1/admin/compact?force=true", "", 0);
  const double seconds = wall_seconds() - begin;
  const Params params = {{"stream", stream.name},
                         {"profiles", std::to_string(sent)},
                         {"memory.limit MiB", fmt::format("{:.0f}", kLimitMib)}};
  const auto add = [&](const char* unit, double value) {
    context.report("memory/compaction", params, unit, {value});
  };
  add("GB of decoded rows", rows * kRowBytes / 1e9);
  report_memory(context, "memory/compaction", params, served, anonymous, kLimitMib);
  add("MiB peak RSS while the profiles came", ingest_peak);
  add("refused and sent again", static_cast<double>(refused));
  add("s", seconds);
  add("CPU-s", served.cpu_seconds() - cpu);
}

const Registration kServices("memory/10k-services", run_services);
const Registration kCompaction("memory/compaction", run_compaction);

}  // namespace
}  // namespace hearth::bench
