#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "formats/pprof_decoder.h"
#include "harness.h"
#include "objstore/local_store.h"
#include "query/engine.h"
#include "storage/store.h"
#include "stream.h"
#include "support/temp_dir.h"

namespace hearth::bench {
namespace {

template <class T>
T need(Result<T> result) {
  HEARTH_CHECK(result.has_value(), result.error().message.c_str());
  return *std::move(result);
}

// A store in a temporary directory that holds one service's stream, sealed into one segment.
class SealedStream {
 public:
  explicit SealedStream(const Stream& stream) {
    storage::Store::Options options;
    options.data_dir = dir_.path() + "/data";
    std::filesystem::create_directories(options.data_dir);
    options.bucket = need(objstore::open_local_store(posix_file_system(), dir_.path() + "/bucket"));
    options.files = &posix_file_system();
    options.clock = &system_clock();
    options.random = random_.get();
    options.memory = &memory_;
    options.unsealed_max_bytes = 4ULL << 30U;
    options.epoch_max_nodes = 1U << 24U;
    options.seal_bytes = 4ULL << 30U;
    options.writer_version = "bench";
    store_ = need(storage::Store::open(options));
    for (size_t at = 0; at < stream.size(); at += 100)
      append(stream, at, std::min(at + 100, stream.size()));
    need(store_->seal());
    query_.type = need(ProfileType::parse("process_cpu:cpu:nanoseconds:cpu:nanoseconds"));
    query_.selector = need(Selector::parse(R"({service_name="bench"})"));
  }
  storage::Store* store() { return store_.get(); }
  MemoryAccountant* memory() { return &memory_; }
  const query::ProfileQuery& query() const { return query_; }

 private:
  // One request of several profiles: setting up must not wait for the disk a thousand times.
  void append(const Stream& stream, size_t begin, size_t end) {
    const LabelSet series =
        need(LabelSet::make({{"__name__", "process_cpu"}, {"service_name", "bench"}}));
    std::vector<ProfileBatch> batches(end - begin);
    std::vector<std::vector<uint32_t>> samples(end - begin);
    std::vector<storage::AppendProfile> profiles;
    for (size_t i = begin; i < end; ++i) {
      ProfileBatch& batch = batches[i - begin];
      HEARTH_CHECK(formats::decode_pprof(stream.raw[i], {}, batch).has_value(), "decode_pprof");
      // What the write pipeline does by default: symbolised frames lose their addresses.
      std::fill(batch.locations.address.begin(), batch.locations.address.end(), 0);
      samples[i - begin].resize(batch.samples.size());
      std::iota(samples[i - begin].begin(), samples[i - begin].end(), 0U);
      profiles.push_back({&series, &batch, samples[i - begin], std::nullopt});
    }
    need(store_->append(Tenant::anonymous(), profiles));
  }

  test::TempDir dir_;
  MemoryAccountant memory_{8ULL << 30U};
  std::unique_ptr<Random> random_ = seeded_random(1);
  std::unique_ptr<storage::Store> store_;
  query::ProfileQuery query_;
};

void run_merge(Context& context, const std::string& name, size_t profiles) {
  const Stream stream = generated_stream(StreamKind::cpu, profiles);
  SealedStream data(stream);
  const query::Engine::Options options{data.store(), data.memory()};
  query::Engine engine(options);
  const auto merge = [&](query::Engine& with) {
    const auto result = need(with.merge_tree(data.query(), {}));
    HEARTH_CHECK(result.cost.profiles == profiles, "every profile is merged");
    keep(result.tree.threshold(16'384));
  };
  const auto warm = [&] { merge(engine); };
  const auto cold = [&] {
    query::Engine fresh(options);
    merge(fresh);
  };
  const auto result = need(engine.merge_tree(data.query(), {}));
  context.compare(name,
                  {{"stream", stream.name}, {"function nodes", std::to_string(result.tree.size())}},
                  {{"warm", warm}, {"cold", cold}}, {Metric::cost("ms", 1, 1e3)});
}

void run_merge_100(Context& context) {
  run_merge(context, "query/merge-100", 100);
}
void run_merge_1k(Context& context) {
  run_merge(context, "query/merge-1k", 1'000);
}
void run_merge_10k(Context& context) {
  run_merge(context, "query/merge-10k", 10'000);
}

const Registration kMerge100("query/merge-100", run_merge_100);
const Registration kMerge1k("query/merge-1k", run_merge_1k);
const Registration kMerge10k("query/merge-10k", run_merge_10k);

}  // namespace
}  // namespace hearth::bench
