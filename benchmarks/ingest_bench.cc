// ingest/*: gzip body → durable ack, in process and over HTTP. Rates are profiles per CPU-second of
// this process (all its threads), because a lone client mostly waits for the disk; wall rates stand
// beside them.
#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include "base/worker_pool.h"
#include "harness.h"
#include "load.h"
#include "net/http_server.h"
#include "poster.h"
#include "process_stats.h"
#include "scratch_dir.h"
#include "server/server.h"
#include "stream.h"

namespace hearth::bench {
namespace {

constexpr size_t kWriters = 8;
// Like kWriters agents of a few machines: enough that a group of requests waits for each write of
// the disk, as it does at the rates that are looked for.
constexpr size_t kHttpWriters = 32;

struct Rates {
  std::vector<double> per_cpu_second, per_second;
};

/// Measures `passes` passes of `work`, each over `count` profiles by `writers` threads; `after`
/// follows each, unmeasured.
Rates measure(
    size_t writers, size_t passes, size_t count,
    const std::function<void(size_t pass, size_t i)>& work,
    const std::function<void()>& after = [] {}) {
  Rates rates;
  for (size_t pass = 0; pass < passes; ++pass) {
    const double cpu = cpu_seconds();
    const double wall = wall_seconds();
    in_parallel(writers, count, [&](size_t i) { work(pass, i); });
    rates.per_cpu_second.push_back(static_cast<double>(count) / (cpu_seconds() - cpu));
    rates.per_second.push_back(static_cast<double>(count) / (wall_seconds() - wall));
    after();
  }
  return rates;
}

void report(Context& context, const std::string& name, const Params& params, const Rates& rates) {
  context.report(name, params, "profiles/CPU-s", rates.per_cpu_second);
  context.report(name, params, "profiles/s", rates.per_second);
}

Params params_of(const Stream& stream, size_t services, size_t writers) {
  return {{"stream", stream.name},
          {"services", std::to_string(services)},
          {"writers", std::to_string(writers)},
          {"gzip_bytes", std::to_string(static_cast<size_t>(stream.gzip_bytes() /
                                                            static_cast<double>(stream.size())))}};
}

// The rate is up to the acknowledgement; what sealing the same profiles costs stands beside it.
void ingest_in_process(Context& context, const Stream& stream, size_t services) {
  const ScratchDir dir("ingest");
  Database::Options options;
  options.data_dir = dir.path();
  options.maintenance_thread = false;
  const auto db = open_database(options);
  const size_t count = std::max<size_t>(stream.size(), 5 * services);
  const auto ingest = [&](size_t pass, size_t i) {
    const auto time_ns =
        static_cast<int64_t>(1'700'000'000'000'000'000 + (pass * count + i) * 1'000'000);
    if (!try_ingest(*db, stream.gzip[(i / services + i) % stream.size()],
                    "service-" + std::to_string(i % services), time_ns))
      give_up("the store is full");
  };
  std::vector<double> seal_us;
  const auto seal = [&] {
    const double cpu = cpu_seconds();
    const uint64_t sealed = need(db->store().seal());
    seal_us.push_back((cpu_seconds() - cpu) * 1e6 / static_cast<double>(sealed));
  };
  const Rates rates = measure(kWriters, context.options().runs, count, ingest, seal);
  report(context, "ingest/in-process", params_of(stream, services, kWriters), rates);
  context.report("ingest/seal", params_of(stream, services, kWriters), "CPU us/profile", seal_us);
}

void ingest_over_http(Context& context, const Stream& stream, size_t services) {
  const ScratchDir dir("http");
  server::Config config;
  config.listen = "127.0.0.1:0";
  config.database.data_dir = dir.path();
  config.log_level = "warn";
  const auto server = need(server::Server::start(config));
  const std::string url = server->url();
  const auto port = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  const size_t count = std::max<size_t>(10 * stream.size(), 10 * services);
  const Rates rates =
      measure(kHttpWriters, context.options().runs, count, [&](size_t pass, size_t i) {
        // One connection per thread and pass.
        thread_local std::unique_ptr<Poster> poster;
        if (!poster) poster = std::make_unique<Poster>(port);
        const size_t number = pass * count + i;
        poster->must_post("/ingest?name=service-" + std::to_string(i % services),
                          stream.gzip[(i / services + i) % stream.size()], number);
      });
  report(context, "ingest/http", params_of(stream, services, kHttpWriters), rates);
  server->stop();
}

// Ten thousand services that sent one profile each, and then another: what a thin service costs,
// and that the limit of dictionaries holds.
void run_thin_services(Context& context) {
  constexpr size_t kServices = 10'000;
  const Stream stream = streams(context, 50).front();
  for (const size_t limit : {size_t{16} << 30U, size_t{512} << 20U}) {
    const ScratchDir dir("thin");
    Database::Options options;
    options.data_dir = dir.path();
    options.dictionary_max_bytes = limit;
    const auto db = open_database(options);
    const double before = resident_mib();
    std::atomic<size_t> refused = 0;
    for (size_t round = 0; round < 2; ++round) {
      in_parallel(kWriters, kServices, [&](size_t i) {
        const auto time_ns =
            static_cast<int64_t>(1'700'000'000'000'000'000 + (round * kServices + i) * 1'000'000);
        // Like a client that is told to come back.
        while (!try_ingest(*db, stream.gzip[(i + round) % stream.size()],
                           "service-" + std::to_string(i), time_ns)) {
          ++refused;
          std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
      });
      const Params params = {{"stream", stream.name},
                             {"limit_mib", std::to_string(limit >> 20U)},
                             {"profiles_per_service", std::to_string(round + 1)}};
      const storage::StoreStats stats = db->store().stats();
      const auto mib = [](size_t bytes) { return static_cast<double>(bytes >> 10U) / 1024; };
      context.report("rss-10k-services", params, "MiB of dictionaries",
                     {mib(stats.dictionary_bytes)});
      context.report("rss-10k-services", params, "MiB RSS more than before",
                     {resident_mib() - before});
      context.report("rss-10k-services", params, "epochs shed",
                     {static_cast<double>(stats.epochs_shed_total)});
      context.report("rss-10k-services", params, "refused", {static_cast<double>(refused)});
    }
  }
}

// The server alone: bodies are read and thrown away. What is left of `ingest/http` is the store's.
void run_empty(Context& context) {
  MemoryAccountant memory(size_t{1} << 30U);
  WorkerPool pool({.name = "ingest", .threads = 2});
  net::HttpServer::Options options;
  options.port = 0;
  options.clock = &system_clock();
  options.memory = &memory;
  options.ingest = options.query = &pool;
  const auto server = need(net::HttpServer::listen(
      options, {{.method = "POST",
                 .path = "/empty",
                 .pool = net::Pool::ingest,
                 .body_max_bytes = 0,
                 .handler = [](net::Request&) { return net::Response(); }}}));
  server->start();
  for (const size_t kilobytes : {1U, 30U, 50U, 100U}) {
    const std::string body(kilobytes * 1'000, 'x');
    const Rates rates =
        measure(kWriters, context.options().runs, kWriters * 500, [&](size_t, size_t i) {
          thread_local std::unique_ptr<Poster> poster;
          if (!poster) poster = std::make_unique<Poster>(server->port());
          poster->must_post("/empty", body, i);
        });
    const std::string name = "http/empty-" + std::to_string(kilobytes) + "k";
    const Params params = {{"connections", std::to_string(kWriters)}};
    context.report(name, params, "requests/CPU-s", rates.per_cpu_second);
    context.report(name, params, "requests/s", rates.per_second);
  }
  server->drain(1'000);
}

void run_ingest(Context& context) {
  for (const Stream& stream : streams(context, 228)) {
    for (const size_t services : {size_t{1}, size_t{200}})
      ingest_in_process(context, stream, services);
  }
}

void run_http(Context& context) {
  for (const Stream& stream : streams(context, 228)) {
    for (const size_t services : {size_t{1}, size_t{200}})
      ingest_over_http(context, stream, services);
  }
}

const Registration kIngest("ingest/in-process", run_ingest);
const Registration kThin("rss-10k-services", run_thin_services);
const Registration kEmpty("http/empty", run_empty);
const Registration kHttp("ingest/http", run_http);

}  // namespace
}  // namespace hearth::bench
