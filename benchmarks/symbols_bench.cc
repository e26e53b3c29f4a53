#include <memory>
#include <string>
#include <vector>

#include "base/check.h"
#include "formats/pprof_decoder.h"
#include "harness.h"
#include "naive_dictionary.h"
#include "stream.h"
#include "symbols/dictionary.h"

namespace hearth::bench {
namespace {

using symbols::Dictionary;
using symbols::MapScratch;

constexpr uint64_t kSeed = 1;

std::vector<ProfileBatch> decode_all(const Stream& stream) {
  std::vector<ProfileBatch> batches(stream.size());
  for (size_t i = 0; i < batches.size(); ++i) {
    HEARTH_CHECK(formats::decode_pprof(stream.raw[i], {}, batches[i]).has_value(), "decode_pprof");
  }
  return batches;
}

// Maps profiles of one service again and again: everything is known.
void run_known(Context& context) {
  for (const Stream& stream : streams(context, 100)) {
    const std::vector<ProfileBatch> batches = decode_all(stream);
    Dictionary dictionary({}, kSeed);
    MapScratch scratch;
    std::vector<uint32_t> keys;
    size_t frames = 0;
    for (const ProfileBatch& batch : batches) frames += batch.samples.frames.size();
    const auto map_all = [&] {
      for (const ProfileBatch& batch : batches) dictionary.map(batch, keys, scratch);
    };
    map_all();
    NaiveDictionary naive;
    const auto map_all_naively = [&] {
      for (const ProfileBatch& batch : batches) naive.map(batch, keys);
    };
    map_all_naively();
    context.compare("dedup/known", {{"stream", stream.name}},
                    {{"hearth", map_all}, {"flat maps, a lookup per frame", map_all_naively}},
                    {Metric::cost("us/profile", static_cast<double>(batches.size()), 1e6),
                     Metric::cost("ns/frame", static_cast<double>(frames), 1e9)});
    context.report("dedup/memory", {{"stream", stream.name}}, "table bytes",
                   {static_cast<double>(dictionary.memory_bytes())});
  }
}

// Maps a stream into an empty dictionary: its new stacks come as they come in life. Deltas are
// taken as the store takes them.
void run_novel(Context& context) {
  for (const Stream& stream : streams(context, 100)) {
    const std::vector<ProfileBatch> batches = decode_all(stream);
    MapScratch scratch;
    std::vector<uint32_t> keys;
    size_t delta_bytes = 0;
    const auto map_all = [&] {
      Dictionary dictionary({}, kSeed);
      delta_bytes = 0;
      for (const ProfileBatch& batch : batches) {
        dictionary.map(batch, keys, scratch);
        delta_bytes += dictionary.take_delta().size();
      }
    };
    const auto map_all_naively = [&] {
      NaiveDictionary naive;
      for (const ProfileBatch& batch : batches) naive.map(batch, keys);
    };
    context.compare("dedup/novel", {{"stream", stream.name}},
                    {{"hearth", map_all}, {"flat maps, no delta", map_all_naively}},
                    {Metric::cost("us/profile", static_cast<double>(batches.size()), 1e6)});
    context.report("dedup/delta", {{"stream", stream.name}}, "bytes/profile",
                   {static_cast<double>(delta_bytes) / static_cast<double>(batches.size())});
  }
}

// Known profiles of many services in turn: tables are cold when their turn comes.
void run_services(Context& context, size_t services) {
  for (const Stream& stream : streams(context, 10)) {
    if (stream.name.find("heap") != std::string::npos) continue;
    const std::vector<ProfileBatch> batches = decode_all(stream);
    MapScratch scratch;
    std::vector<uint32_t> keys;
    std::vector<std::unique_ptr<Dictionary>> dictionaries;
    for (size_t s = 0; s < services; ++s) {
      dictionaries.push_back(std::make_unique<Dictionary>(Id128{0, s}, kSeed));
      for (const ProfileBatch& batch : batches) dictionaries.back()->map(batch, keys, scratch);
    }
    std::vector<NaiveDictionary> naive(services);
    for (NaiveDictionary& dictionary : naive) {
      for (const ProfileBatch& batch : batches) dictionary.map(batch, keys);
    }
    size_t turn = 0;
    size_t naive_turn = 0;
    const auto map_round_naively = [&] {
      for (NaiveDictionary& dictionary : naive)
        dictionary.map(batches[naive_turn++ % batches.size()], keys);
    };
    const auto map_round = [&] {
      for (const auto& dictionary : dictionaries) {
        dictionary->map(batches[turn++ % batches.size()], keys, scratch);
      }
    };
    context.compare("dedup/services-" + std::to_string(services), {{"stream", stream.name}},
                    {{"hearth", map_round}, {"flat maps, a lookup per frame", map_round_naively}},
                    {Metric::cost("us/profile", static_cast<double>(services), 1e6)});
  }
}

const Registration kKnown("dedup/known", run_known);
const Registration kNovel("dedup/novel", run_novel);
const Registration kServices1("dedup/services-1", [](Context& c) { run_services(c, 1); });
const Registration kServices50("dedup/services-50", [](Context& c) { run_services(c, 50); });
const Registration kServices200("dedup/services-200", [](Context& c) { run_services(c, 200); });
const Registration kServices800("dedup/services-800", [](Context& c) { run_services(c, 800); });

}  // namespace
}  // namespace hearth::bench
