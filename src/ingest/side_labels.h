#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "hearth/labels.h"
#include "hearth/profile.h"

/// Labels of samples that say which span or trace they belong to: they become side data of the
/// sample, never labels of a series.
namespace hearth::ingest {

enum class SideLabel : uint8_t { none, span, trace };
/// `span_id` and the older `profile_id` name a span, `trace_id` a trace.
SideLabel side_label(std::string_view name);

/// Collects the side data of the samples of a batch, in their order, on top of what a decoder put
/// there. Malformed ids are counted in the batch's repairs.
class SideDataBuilder {
 public:
  explicit SideDataBuilder(ProfileBatch& batch) : batch_(batch) {}
  /// Samples come in ascending order.
  void begin_sample(uint32_t sample);
  /// Of several ids of one kind the first counts; an empty one is an absent label.
  void add(SideLabel label, std::string_view id);
  void end_sample();
  /// Puts what was collected into the batch.
  void finish();

 private:
  ProfileBatch& batch_;
  ProfileBatch::SideData now_;
  size_t next_ = 0;  ///< Into the batch's own side data.
  std::vector<ProfileBatch::SideData> side_;
};

/// A `profile_id` among the labels of a text profile is the span of all of its samples: it moves
/// there.
void move_span_label(std::vector<Label>& labels, ProfileBatch& batch);

/// Keeps the first `max` entries (0: as many as a segment holds); the rest is counted in the
/// batch's repairs.
void limit_side_data(ProfileBatch& batch, size_t max);

}  // namespace hearth::ingest
