#include "dataset.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/check.h"
#include "formats/pprof_decoder.h"
#include "ingest/normalise.h"
#include "storage/head_rows.h"
#include "symbols/dictionary.h"

namespace hearth::bench {
namespace {

/// The profile's own time; profiles without one follow each other every ten seconds, as scrapes do.
int64_t start_ns(const ProfileBatch& batch, size_t p) {
  constexpr int64_t kFirst = 1'700'000'000'000'000'000;
  // Scrapes jitter: the low digits are no round numbers.
  const auto jitter = static_cast<int64_t>(p * 0x9e3779b97f4a7c15U >> 44U);
  return batch.time_ns != 0 ? batch.time_ns
                            : kFirst + static_cast<int64_t>(p) * 10'000'000'000 + jitter;
}

}  // namespace

storage::DatasetInput make_dataset(const Stream& stream, size_t n, size_t begin) {
  storage::DatasetInput in;
  in.tenant = "anonymous";
  in.service = stream.name;
  in.series.push_back(
      *LabelSet::make({{"__name__", "process_cpu"}, {"service_name", stream.name}}));
  symbols::Dictionary dictionary({}, 1);
  symbols::MapScratch scratch;
  std::vector<uint32_t> keys;
  std::vector<uint32_t> all;
  storage::RowCollector collector;
  storage::Rows rows;
  in.row_begin.push_back(0);
  ProfileBatch batch;
  for (size_t p = begin; p < std::min(begin + n, stream.size()); ++p) {
    HEARTH_CHECK(formats::decode_pprof(stream.raw[p], {}, batch).has_value(), "decode_pprof");
    ingest::clear_addresses(batch);
    dictionary.map(batch, keys, scratch);
    all.resize(batch.samples.size());
    std::iota(all.begin(), all.end(), 0U);
    collector.collect(batch, all, keys, rows);
    if (p == begin) {
      for (const auto& t : batch.sample_types) {
        in.family.types.push_back(
            {std::string(batch.strings[t.type]), std::string(batch.strings[t.unit])});
      }
    }
    in.profile_series.push_back(0);
    in.profile_start_ns.push_back(start_ns(batch, p));
    in.profile_duration_ns.push_back(batch.duration_ns);
    in.profile_period.push_back(batch.period);
    in.profile_id.push_back({p * 0x9e3779b97f4a7c15U, ~p * 0xbf58476d1ce4e5b9U});
    in.row_key.insert(in.row_key.end(), rows.keys.begin(), rows.keys.end());
    in.row_value.insert(in.row_value.end(), rows.values.begin(), rows.values.end());
    in.row_begin.push_back(static_cast<uint32_t>(in.row_key.size()));
  }
  in.symbols = dictionary.tables();
  return in;
}

}  // namespace hearth::bench
