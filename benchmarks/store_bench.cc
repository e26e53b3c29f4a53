// What a durable append costs: mapping, rows and records alone, and with RocksDB below.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <thread>

#include "base/check.h"
#include "formats/pprof_decoder.h"
#include "harness.h"
#include "objstore/local_store.h"
#include "process_stats.h"
#include "storage/store_impl.h"
#include "stream.h"
#include "support/temp_dir.h"

namespace hearth::bench {
namespace {

constexpr size_t kProfiles = 64;
constexpr size_t kDurableProfiles = 2000;

/// Swallows writes: what remains is the processor's work of an append.
class NullKvStore final : public storage::KvStore {
 public:
  using KvStore::write;
  Status write(std::span<const storage::KvBatch* const>, bool) override { return {}; }
  Result<std::optional<std::string>> get(storage::KvFamily, std::string_view) const override {
    return std::nullopt;
  }
  Status scan(storage::KvFamily, std::string_view, std::string_view, const Visit&) const override {
    return {};
  }
  Status flush_all(uint64_t /*log_bytes_min*/) override { return {}; }
  storage::LogDamage log_damage() const override { return {}; }
  Status close() override { return {}; }
};

storage::Store::Options store_options(const test::TempDir& dir, MemoryAccountant& memory) {
  storage::Store::Options options;
  options.data_dir = dir.path();
  options.files = &posix_file_system();
  options.clock = &system_clock();
  options.random = &system_random();
  options.memory = &memory;
  options.unsealed_max_bytes = uint64_t{1} << 32U;
  auto bucket = objstore::open_local_store(*options.files, dir / "bucket");
  HEARTH_CHECK(bucket.has_value(), "open the bucket");
  options.bucket = *bucket;
  return options;
}

struct Input {
  LabelSet series;
  std::vector<ProfileBatch> batches;
  std::vector<std::vector<uint32_t>> samples;
};

Input decode(const Stream& stream, const std::string& service) {
  Input input;
  input.series = *LabelSet::make({{"__name__", "process_cpu"}, {"service_name", service}});
  for (const std::string& raw : stream.raw) {
    ProfileBatch& batch = input.batches.emplace_back();
    HEARTH_CHECK(formats::decode_pprof(raw, {}, batch).has_value(), "decode_pprof");
    std::vector<uint32_t>& samples = input.samples.emplace_back(batch.samples.size());
    std::iota(samples.begin(), samples.end(), 0);
  }
  return input;
}

void append(storage::Store& store, const Input& input, size_t i) {
  const size_t at = i % input.batches.size();
  const storage::AppendProfile profile{&input.series, &input.batches[at], input.samples[at],
                                       random_uuid(system_random())};
  const auto outcome = store.append(Tenant::anonymous(), std::span(&profile, 1));
  HEARTH_CHECK(outcome && outcome->stored == 1, "append");
}

void run_append(Context& context) {
  for (const Stream& stream : streams(context, kProfiles)) {
    const test::TempDir dir;
    MemoryAccountant memory(size_t{8} << 30U);
    const Input input = decode(stream, "bench");
    auto store =
        storage::open_store(store_options(dir, memory), std::make_unique<NullKvStore>(), "", {});
    HEARTH_CHECK(store.has_value(), "open");
    const auto append_all = [&] {
      for (size_t i = 0; i < input.batches.size(); ++i) append(**store, input, i);
    };
    context.compare("append", {{"stream", stream.name}}, {{"hearth", append_all}},
                    {Metric::cost("us/profile", static_cast<double>(stream.size()), 1e6)});
  }
}

void run_durable(Context& context, const Stream& stream, size_t threads) {
  using Clock = std::chrono::steady_clock;
  const test::TempDir dir;
  MemoryAccountant memory(size_t{8} << 30U);
  auto store = storage::Store::open(store_options(dir, memory));
  HEARTH_CHECK(store.has_value(), "open");
  const Input input = decode(stream, "bench");
  std::atomic<size_t> next = 0;
  const double cpu = cpu_seconds();
  const auto begin = Clock::now();
  {
    std::vector<std::jthread> workers;
    for (size_t t = 0; t < threads; ++t) {
      workers.emplace_back([&] {
        for (size_t i = next++; i < kDurableProfiles; i = next++) append(**store, input, i);
      });
    }
  }
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  const double per_profile = (cpu_seconds() - cpu) / kDurableProfiles;
  const storage::StoreStats stats = (*store)->stats();
  const Params params = {{"stream", stream.name}, {"writers", std::to_string(threads)}};
  context.report("append/durable", params, "profiles/s", {kDurableProfiles / wall});
  context.report("append/durable", params, "cpu us/profile", {per_profile * 1e6});
  context.report("append/durable", params, "profiles per sync",
                 {kDurableProfiles / static_cast<double>(stats.kv_write_groups_total)});
  context.report("append/durable", params, "record bytes/profile",
                 {static_cast<double>(stats.head_bytes) / kDurableProfiles});
  const auto seal_begin = Clock::now();
  const double seal_cpu = cpu_seconds();
  HEARTH_CHECK((*store)->seal().has_value(), "seal");
  const double seal_wall = std::chrono::duration<double>(Clock::now() - seal_begin).count();
  context.report("seal", params, "us/profile", {seal_wall * 1e6 / kDurableProfiles});
  context.report("seal", params, "cpu us/profile",
                 {(cpu_seconds() - seal_cpu) * 1e6 / kDurableProfiles});
  context.report("seal", params, "segment bytes/profile",
                 {static_cast<double>((*store)->stats().segment_bytes) / kDurableProfiles});
}

void run_durable_appends(Context& context) {
  const Stream stream = streams(context, kProfiles).front();
  for (const size_t threads : {size_t{1}, size_t{8}, size_t{32}})
    run_durable(context, stream, threads);
}

void run_open(Context& context) {
  using Clock = std::chrono::steady_clock;
  const test::TempDir dir;
  MemoryAccountant memory(size_t{8} << 30U);
  const double before = resident_mib();
  for (const char* what : {"create", "reopen"}) {
    const auto begin = Clock::now();
    auto store = storage::Store::open(store_options(dir, memory));
    HEARTH_CHECK(store.has_value(), "open");
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    context.report("open", {{"store", what}}, "ms", {ms});
    context.report("open", {{"store", what}}, "MiB resident more", {resident_mib() - before});
    context.report("open", {{"store", what}}, "MiB resident", {resident_mib()});
  }
}

const Registration kOpen("open", run_open);
const Registration kAppend("append", run_append);
const Registration kDurable("append/durable", run_durable_appends);

}  // namespace
}  // namespace hearth::bench
