#include "load.h"

#include <chrono>
#include <cmath>
#include <mutex>
#include <thread>

#include "base/gzip_codec.h"
#include "formats/pprof_decoder.h"

namespace hearth::bench {

std::unique_ptr<Database> open_database(Database::Options options) {
  return need(Database::open(std::move(options)));
}

void in_parallel(size_t threads, size_t count, const std::function<void(size_t)>& work) {
  std::atomic<size_t> next = 0;
  std::vector<std::jthread> running;
  for (size_t t = 0; t < threads; ++t) {
    running.emplace_back([&] {
      for (size_t i = next++; i < count; i = next++) work(i);
    });
  }
}

bool try_commit(Database& db, ProfileBatch& batch, std::string_view raw, const std::string& service,
                int64_t time_ns) {
  batch.time_ns = time_ns;
  ingest::Incoming incoming;
  incoming.labels = {{"__name__", "process_cpu"}, {"service_name", service}};
  incoming.batch = &batch;
  incoming.raw = raw;
  incoming.index = static_cast<uint64_t>(time_ns);
  incoming.idempotency_key = "bench";
  auto prepared = db.pipeline().prepare(Tenant::anonymous(), incoming);
  if (!prepared) give_up(prepared.error().message);
  const auto outcome = db.pipeline().commit(Tenant::anonymous(), std::span(&*prepared, 1));
  if (!outcome && outcome.error().code == ErrorCode::unavailable) return false;
  if (!outcome) give_up(outcome.error().message);
  if (outcome->stored == 0) give_up("a profile was taken for a retry");
  return true;
}

bool try_ingest(Database& db, const std::string& body, const std::string& service,
                int64_t time_ns) {
  thread_local std::string raw;
  thread_local ProfileBatch batch;
  if (!gunzip(body, 64u << 20, raw)) give_up("gunzip");
  if (const Status s = formats::decode_pprof(raw, {}, batch); !s) give_up(s.error().message);
  return try_commit(db, batch, raw, service, time_ns);
}

PacedLoad paced_load(size_t threads, double rate, double seconds,
                     const std::function<bool(size_t i)>& send, const std::atomic<bool>& stop) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto due = [&](size_t i) {
    return begin + std::chrono::nanoseconds(std::llround(static_cast<double>(i) * 1e9 / rate));
  };
  const auto count = static_cast<size_t>(rate * seconds);
  PacedLoad load;
  std::mutex mutex;
  in_parallel(threads, threads, [&, next = std::make_shared<std::atomic<size_t>>(0)](size_t) {
    std::vector<double> ack_us;
    size_t refused = 0;
    for (size_t i = (*next)++; i < count && !stop; i = (*next)++) {
      std::this_thread::sleep_until(due(i));
      if (!send(i)) ++refused;
      ack_us.push_back(std::chrono::duration<double, std::micro>(Clock::now() - due(i)).count());
    }
    const std::lock_guard lock(mutex);
    load.ack_us.insert(load.ack_us.end(), ack_us.begin(), ack_us.end());
    load.refused += refused;
  });
  load.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return load;
}

}  // namespace hearth::bench
