#include <fmt/format.h>
#include <malloc.h>

#include <filesystem>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/flame_diff.h"
#include "api/flame_graph.h"
#include "api/merged_profile.h"
#include "base/check.h"
#include "base/file_system.h"
#include "base/random.h"
#include "base/worker_pool.h"
#include "formats/pprof_decoder.h"
#include "harness.h"
#include "need.h"
#include "objstore/local_store.h"
#include "query/engine.h"
#include "storage/store.h"
#include "stream.h"
#include "support/temp_dir.h"

namespace hearth::bench {
namespace {

constexpr int64_t kMaxNodes = 16'384;

// A store in a temporary directory that holds a stream, sealed into one segment: all of it under
// one service, or dealt out to several.
class SealedStream {
 public:
  explicit SealedStream(const Stream& stream, size_t services = 1) : services_(services) {
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
    if (services_ == 1) query_.selector = need(Selector::parse(R"({service_name="bench-0"})"));
  }
  storage::Store* store() { return store_.get(); }
  MemoryAccountant* memory() { return &memory_; }
  const query::ProfileQuery& query() const { return query_; }

 private:
  // One request of several profiles: setting up must not wait for the disk a thousand times.
  void append(const Stream& stream, size_t begin, size_t end) {
    std::vector<LabelSet> series;
    for (size_t i = 0; i < services_; ++i) {
      series.push_back(need(LabelSet::make(
          {{"__name__", "process_cpu"}, {"service_name", fmt::format("bench-{}", i)}})));
    }
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
      profiles.push_back({&series[i % services_], &batch, samples[i - begin], std::nullopt});
    }
    need(store_->append(Tenant::anonymous(), profiles));
  }

  const size_t services_;
  test::TempDir dir_;
  MemoryAccountant memory_{8ULL << 30U};
  std::unique_ptr<Random> random_ = seeded_random(1);
  std::unique_ptr<storage::Store> store_;
  query::ProfileQuery query_;
};

// What a store does that keeps profiles as they came: each one's stacks go into one tree of names.
class NaiveMerge {
 public:
  explicit NaiveMerge(const Stream& stream) : batches_(stream.size()) {
    for (size_t i = 0; i < stream.size(); ++i)
      HEARTH_CHECK(formats::decode_pprof(stream.raw[i], {}, batches_[i]).has_value(), "decode");
  }
  void run() const {
    Node root;
    for (const ProfileBatch& batch : batches_) {
      for (size_t s = 0; s < batch.samples.size(); ++s) add(batch, s, root);
    }
    keep(root.total);
    // A million nodes that are given back must not slow down what runs next.
    root.children.clear();
    malloc_trim(0);
  }

 private:
  struct Node {
    std::map<std::string_view, std::unique_ptr<Node>> children;
    int64_t self = 0, total = 0;
  };
  static void add(const ProfileBatch& batch, size_t sample, Node& root) {
    const int64_t value = batch.value(sample, batch.types() - 1);
    Node* at = &root;
    const auto stack = batch.stack(sample);
    for (size_t i = stack.size(); i-- > 0;) {
      for (uint32_t line = batch.locations.line_begin[stack[i] + 1];
           line-- > batch.locations.line_begin[stack[i]];) {
        auto& child = at->children[batch.strings[batch.functions.name[batch.lines.function[line]]]];
        if (!child) child = std::make_unique<Node>();
        at = child.get();
        at->total += value;
      }
    }
    at->self += value;
  }
  std::vector<ProfileBatch> batches_;
};

void run_merge(Context& context, const std::string& name, size_t profiles) {
  const Stream stream = generated_stream(StreamKind::cpu, profiles);
  SealedStream data(stream);
  const query::Engine::Options options{data.store(), data.memory()};
  WorkerPool helpers({.name = "helper", .threads = 1});
  query::Engine engine(options);
  query::Engine threaded(options);
  threaded.use_helpers(helpers, 1);
  const auto merge = [&](query::Engine& with, bool json = false) {
    const auto result = need(with.merge_tree(data.query(), {}));
    HEARTH_CHECK(result.cost.profiles == profiles, "every profile is merged");
    const int64_t threshold = result.tree.threshold(kMaxNodes);
    std::string answer;
    if (json) api::append_proto_json(answer, api::flame_graph(result.tree, threshold));
    keep(answer);
  };
  const auto cold = [&](bool help, bool json = false) {
    query::Engine fresh(options);
    if (help) fresh.use_helpers(helpers, 1);
    merge(fresh, json);
  };
  const auto result = need(engine.merge_tree(data.query(), {}));
  std::vector<Variant> variants = {{"warm", [&] { merge(engine); }},
                                   {"cold", [&] { cold(false); }},
                                   {"warm, two threads", [&] { merge(threaded); }},
                                   {"cold, two threads", [&] { cold(true); }},
                                   {"warm, to JSON", [&] { merge(engine, true); }},
                                   {"cold, to JSON", [&] { cold(false, true); }}};
  std::optional<NaiveMerge> naive;
  if (profiles <= 1'000) {
    naive.emplace(stream);
    variants.push_back({"naive tree of names, profiles decoded", [&] { naive->run(); }});
  }
  const auto rows = static_cast<double>(stream.samples);
  context.compare(name,
                  {{"stream", stream.name}, {"function nodes", std::to_string(result.tree.size())}},
                  variants, {Metric::cost("ms", 1, 1e3), Metric::cost("ns/sample", rows, 1e9)});
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

// The answers that clients get, from the merge to their bytes.
void run_answers(Context& context) {
  constexpr size_t kProfiles = 1'000;
  const Stream stream = generated_stream(StreamKind::cpu, kProfiles);
  SealedStream data(stream);
  query::Engine engine({data.store(), data.memory()});
  const auto flame = [&] {
    const auto tree = need(engine.merge_tree(data.query(), {})).tree;
    std::string json;
    api::append_proto_json(json, api::flame_graph(tree, tree.threshold(kMaxNodes)));
    keep(json);
  };
  const auto pprof = [&] {
    auto merged = need(engine.merge_profile(data.query(), {}));
    keep(api::encode_merged_profile(merged.batch, merged.stacks, data.query().type, 0));
  };
  const auto placed = [&] { keep(need(engine.merge_placed_tree(data.query(), {}))); };
  const query::FunctionTree tree = need(engine.merge_tree(data.query(), {})).tree;
  query::ProfileQuery below = data.query();
  below.call_site = {tree.names[tree.name[1]]};
  const auto call_site = [&] { keep(need(engine.merge_tree(below, {}))); };
  const auto top = [&] {
    keep(query::function_table(need(engine.merge_tree(data.query(), {})).tree));
  };
  const auto diff = [&] {
    const auto other = need(engine.merge_tree(data.query(), {})).tree;
    keep(api::flame_diff(tree, other, kMaxNodes));
  };
  query::SeriesQuery timeline;
  timeline.profile = data.query();
  const auto series = [&] { keep(need(engine.select_series(timeline, {}))); };
  context.compare("query/answers-1k", {{"stream", stream.name}},
                  {{"flame graph, JSON, 16,384 nodes", flame},
                   {"pprof", pprof},
                   {"tree with places, not encoded", placed},
                   {"tree below a call site", call_site},
                   {"function table", top},
                   {"diff with a tree at hand", diff},
                   {"series, 15 s", series}},
                  {Metric::cost("ms", 1, 1e3)});
}

void run_services(Context& context) {
  constexpr size_t kServices = 200;
  const Stream stream = generated_stream(StreamKind::cpu, 25 * kServices);
  SealedStream data(stream, kServices);
  query::Engine engine({data.store(), data.memory()});
  WorkerPool helpers({.name = "helper", .threads = 1});
  query::Engine threaded({data.store(), data.memory()});
  threaded.use_helpers(helpers, 1);
  const auto merge = [&](query::Engine& with) {
    const auto result = need(with.merge_tree(data.query(), {}));
    HEARTH_CHECK(result.cost.datasets == kServices, "every service is merged");
    keep(result.tree.threshold(kMaxNodes));
  };
  context.compare("query/services-200", {{"stream", stream.name}, {"profiles each", "25"}},
                  {{"warm", [&] { merge(engine); }}, {"two threads", [&] { merge(threaded); }}},
                  {Metric::cost("ms", 1, 1e3)});
}

const Registration kMerge100("query/merge-100", run_merge_100);
const Registration kMerge1k("query/merge-1k", run_merge_1k);
const Registration kMerge10k("query/merge-10k", run_merge_10k);
const Registration kAnswers("query/answers", run_answers);
const Registration kServices("query/services-200", run_services);

}  // namespace
}  // namespace hearth::bench
