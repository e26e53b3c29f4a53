#include "storage/head_side.h"

#include <algorithm>

namespace hearth::storage {

void HeadSideCollector::collect(const ProfileBatch& batch, std::span<const uint32_t> samples,
                                std::span<const uint32_t> sample_keys, const Rows& rows,
                                SideTable& out) {
  out.count.clear();
  out.entries.clear();
  out.values.clear();
  const auto& side = batch.samples.side;
  if (side.empty()) return;
  entries_.clear();
  values_.clear();
  const size_t types = batch.types();
  for (const uint32_t sample : samples) {
    const auto said = std::ranges::lower_bound(side, sample, {}, &ProfileBatch::SideData::sample);
    if (said == side.end() || said->sample != sample) continue;
    const uint32_t key = sample_keys[sample];
    if (!std::ranges::binary_search(rows.keys, key)) continue;
    entries_.push_back({key, said->span_id, {said->trace_id_hi, said->trace_id_lo}, said->time_ns});
    const auto values = std::span(batch.samples.values).subspan(sample * types, types);
    values_.insert(values_.end(), values.begin(), values.end());
  }
  sorter_.append(entries_, values_, types, out);
}

}  // namespace hearth::storage
