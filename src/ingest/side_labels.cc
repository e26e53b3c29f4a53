#include "ingest/side_labels.h"

#include <algorithm>
#include <utility>

#include "model/trace_ids.h"

namespace hearth::ingest {

SideLabel side_label(std::string_view name) {
  if (name == label::kSpanId || name == label::kProfileId) return SideLabel::span;
  return name == label::kTraceId ? SideLabel::trace : SideLabel::none;
}

void SideDataBuilder::begin_sample(uint32_t sample) {
  const auto& own = batch_.samples.side;
  now_ = {};
  now_.sample = sample;
  while (next_ < own.size() && own[next_].sample < sample) ++next_;
  if (next_ < own.size() && own[next_].sample == sample) now_ = own[next_];
}

void SideDataBuilder::add(SideLabel label, std::string_view id) {
  if (id.empty()) return;
  if (label == SideLabel::span) {
    const auto span = parse_span_id(id);
    if (!span) {
      ++batch_.repairs.sample_ids_dropped;
    } else if (now_.span_id == 0) {
      now_.span_id = *span;
    }
    return;
  }
  const auto trace = parse_trace_id(id);
  if (!trace) {
    ++batch_.repairs.sample_ids_dropped;
  } else if (now_.trace_id_hi == 0 && now_.trace_id_lo == 0) {
    now_.trace_id_hi = trace->hi;
    now_.trace_id_lo = trace->lo;
  }
}

void SideDataBuilder::end_sample() {
  ProfileBatch::SideData nothing;
  nothing.sample = now_.sample;
  if (now_ != nothing) side_.push_back(now_);
}

void SideDataBuilder::finish() {
  batch_.samples.side = std::move(side_);
}

void move_span_label(std::vector<Label>& labels, ProfileBatch& batch) {
  const auto found = std::ranges::find(labels, label::kProfileId, &Label::name);
  if (found == labels.end()) return;
  SideDataBuilder side(batch);
  for (uint32_t s = 0; s < batch.samples.size() && !found->value.empty(); ++s) {
    side.begin_sample(s);
    side.add(SideLabel::span, found->value);
    side.end_sample();
  }
  side.finish();
  labels.erase(found);
}

void limit_side_data(ProfileBatch& batch, size_t max) {
  constexpr size_t kMost = 1U << 20U;  // docs/segment_format.md, "Limits".
  if (max == 0 || max > kMost) max = kMost;
  auto& side = batch.samples.side;
  if (side.size() <= max) return;
  batch.repairs.side_data_dropped += side.size() - max;
  side.resize(max);
}

}  // namespace hearth::ingest
