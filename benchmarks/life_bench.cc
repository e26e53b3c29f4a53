// What profiles cost over their life: sealed every ten minutes, merged to hours and a day; and what
// a start costs that finds them unsealed.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/file_system.h"
#include "harness.h"
#include "load.h"
#include "need.h"
#include "process_stats.h"
#include "scratch_dir.h"
#include "storage/kv_store.h"
#include "stream.h"

namespace hearth::bench {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kMidnight = 1'699'920'000 * kSecondNs;  // UTC.
constexpr size_t kWriters = 8;

/// Processor time and bytes to the disk, summed over pieces of work.
struct Spent {
  double cpu = 0;
  double disk = 0;
  template <class Work>
  void add(const Work& work) {
    const double cpu_before = cpu_seconds();
    const uint64_t disk_before = disk_bytes_written();
    work();
    cpu += cpu_seconds() - cpu_before;
    disk += static_cast<double>(disk_bytes_written() - disk_before);
  }
};

/// Minutes of every service, and a seal at the default interval.
struct Life {
  static constexpr size_t kHours = 4, kEach = 15;  // Profiles of a service and minute.
  static constexpr size_t kSealMinutes = 10;
  size_t services = 10, hours = kHours, each = kEach;
  Spent write, seal, merge;
  size_t profiles = 0;

  void minute(Database& db, const Stream& stream, size_t number) {
    const int64_t begin_ns = kMidnight + static_cast<int64_t>(number) * 60 * kSecondNs;
    const auto step_ns = 60 * kSecondNs / static_cast<int64_t>(each);
    write.add([&] {
      in_parallel(kWriters, services * each, [&](size_t i) {
        // Each service is somewhere else in the stream.
        const size_t at = profiles / services + i / services + i % services * 331;
        const std::string& body = stream.gzip[at % stream.size()];
        const auto time_ns = begin_ns + static_cast<int64_t>(i / services) * step_ns;
        if (!try_ingest(db, body, fmt::format("service-{}", i % services), time_ns))
          give_up("the store is full");
      });
    });
    profiles += services * each;
    if ((number + 1) % kSealMinutes == 0) seal.add([&] { need(db.store().seal()); });
  }
};

void run_life(Context& context) {
  // As many as a service sends: what is told of bytes kept must not come from profiles that repeat.
  const Stream stream = generated_stream(StreamKind::cpu, Life::kHours * 60 * Life::kEach);
  const ScratchDir dir("life");
  Database::Options options;
  options.data_dir = dir.path();
  options.maintenance_thread = false;
  auto db = open_database(options);
  Life life;
  for (size_t minute = 0; minute < life.hours * 60; ++minute) life.minute(*db, stream, minute);
  const auto fresh = static_cast<double>(db->store().stats().segment_bytes);
  life.merge.add([&] { need(db->store().compact(true, {})); });
  const auto kept = static_cast<double>(db->store().stats().segment_bytes);
  life.write.add([&] { db.reset(); });
  const auto n = static_cast<double>(life.profiles);
  const Params params = {
      {"stream", stream.name},
      {"profiles", std::to_string(life.profiles)},
      {"each seal", fmt::format("{} of a service", life.each * Life::kSealMinutes)}};
  const auto report = [&](const char* unit, double value) {
    context.report("life", params, unit, {value});
  };
  report("seal CPU us/profile", life.seal.cpu * 1e6 / n);
  report("compaction CPU us/profile", life.merge.cpu * 1e6 / n);
  report("seal + compaction CPU us/profile", (life.seal.cpu + life.merge.cpu) * 1e6 / n);
  report("kept B/profile", kept / n);
  report("fresh segments B/profile", fresh / n);
  report("written by acks B/profile", life.write.disk / n);
  report("written by seals B/profile", life.seal.disk / n);
  report("written by compaction B/profile", life.merge.disk / n);
  report("bytes written / bytes kept", (life.write.disk + life.seal.disk + life.merge.disk) / kept);
}

/// Takes the files of a directory out of the page cache.
void drop_cached(const std::string& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) continue;
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

/// Opens the key-value store alone and closes it again, which leaves its log as it is.
double seconds_to_open_rocks(const std::string& path) {
  const double begin = wall_seconds();
  const auto kv = need(storage::open_rocks_kv_store(posix_file_system(), path));
  const double seconds = wall_seconds() - begin;
  if (!kv->close()) give_up("RocksDB does not close");
  return seconds;
}

// A start after the process ended with `kHeadBytes` of rows unsealed, cold page cache; and one that
// finds nothing.
void run_recover(Context& context) {
  constexpr uint64_t kHeadBytes = 32U << 20U;
  const Stream stream = streams(context, 228).front();
  const ScratchDir dir("recover");
  Database::Options options;
  options.data_dir = dir.path() + "/data";
  options.maintenance_thread = false;
  {
    const auto db = open_database(options);
    for (size_t i = 0; db->store().stats().head_bytes < kHeadBytes; i += 1'000) {
      in_parallel(kWriters, 1'000, [&](size_t j) {
        const auto time_ns = kMidnight + static_cast<int64_t>(i + j) * 1'000'000;
        if (!try_ingest(*db, stream.gzip[(i + j) / 200 % stream.size()],
                        fmt::format("service-{}", (i + j) % 200), time_ns))
          give_up("the store is full");
      });
    }
  }
  std::vector<double> rates;
  std::vector<double> seconds;
  std::vector<double> rocks_seconds;
  double head = 0;
  for (size_t run = 0; run < 3; ++run) {
    drop_cached(dir.path());
    rocks_seconds.push_back(seconds_to_open_rocks(options.data_dir + "/db"));
    drop_cached(dir.path());
    const double begin = wall_seconds();
    const auto db = open_database(options);
    seconds.push_back(wall_seconds() - begin);
    head = static_cast<double>(db->store().stats().head_bytes);
    rates.push_back(head / 1e6 / (seconds.back() - rocks_seconds.back()));
  }
  const Params params = {{"stream", stream.name},
                         {"head MiB", fmt::format("{:.0f}", head / (1 << 20))}};
  context.report("recover", params, "s to open", seconds);
  context.report("recover", params, "s to open RocksDB alone", rocks_seconds);
  context.report("recover", params, "MB/s of head rows", rates);
}

const Registration kLife("life", run_life);
const Registration kRecover("recover", run_recover);

}  // namespace
}  // namespace hearth::bench
