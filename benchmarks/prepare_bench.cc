#include "base/check.h"
#include "formats/pprof_decoder.h"
#include "harness.h"
#include "ingest/pipeline.h"
#include "stream.h"
#include "support/memory_store.h"

namespace hearth::bench {
namespace {

// prepare() changes the batch, so that each run decodes first: its cost is the difference of the
// two variants.
void run_prepare(Context& context) {
  test::MemoryStore store;
  ingest::Pipeline pipeline(store, system_clock(), {});
  for (const Stream& stream : streams(context, 100)) {
    ProfileBatch batch;
    const auto decode = [&](const std::string& body) {
      HEARTH_CHECK(formats::decode_pprof(body, {}, batch).has_value(), "decode_pprof");
    };
    const auto decode_all = [&] {
      for (const std::string& body : stream.raw) decode(body);
    };
    const auto prepare_all = [&] {
      for (const std::string& body : stream.raw) {
        decode(body);
        ingest::Incoming incoming;
        incoming.labels = {{"__name__", "process_cpu"},
                           {"service_name", "web"},
                           {"pod", "web-1"},
                           {"region", "eu"}};
        incoming.batch = &batch;
        incoming.raw = body;
        HEARTH_CHECK(pipeline.prepare(Tenant::anonymous(), incoming).has_value(), "prepare");
      }
    };
    context.compare("prepare", {{"stream", stream.name}},
                    {{"decode and prepare", prepare_all}, {"decode", decode_all}},
                    {Metric::cost("us/profile", static_cast<double>(stream.size()), 1e6)});
  }
}

const Registration kPrepare("prepare", run_prepare);

}  // namespace
}  // namespace hearth::bench
