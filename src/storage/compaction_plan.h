#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "storage/segment_catalog.h"

namespace hearth::storage {

inline constexpr int64_t kHourNs = 3'600'000'000'000;
inline constexpr int64_t kDayNs = 24 * kHourNs;
/// The multiple of `unit_ns` at or before `time_ns`, for times on both sides of 1970 and up to the
/// ends of the range.
[[nodiscard]] int64_t floor_time(int64_t time_ns, int64_t unit_ns);
/// Where the hour (level 1) or day (level 2) of that time ends, exclusive; INT64_MAX for the last.
[[nodiscard]] int64_t window_end(uint8_t level, int64_t time_ns);

/// Segments to be merged and replaced together.
struct CompactionJob {
  uint8_t level = 1;  ///< Of what is made of them: 1 per UTC hour, 2 per UTC day.
  std::vector<SegmentEntry> inputs;
};

struct PlanOptions {
  /// Hours, or days, that begin before this are over. INT64_MAX: all are.
  int64_t over_before_ns = 0;
  /// A forced plan also merges what differs in size and what is merged already but not into one.
  bool force = false;
  /// Bounds the memory that the directories of one job take.
  uint64_t datasets_max = 100'000;
};

/// Fresh segments with profiles of hours that are over, in batches, oldest first. A batch takes
/// along merged segments of hours that it touches, where they are not larger than what is new, or
/// where a service would be spread over eight: so an hour mostly ends as one segment, and its bytes
/// are rewritten a few times at most.
[[nodiscard]] std::vector<CompactionJob> plan_hours(std::vector<SegmentEntry> live,
                                                    const PlanOptions& options);

/// Hour segments of days that are over, with day segments of that day by the same rule: one job per
/// tenant, day, and range of services that no segment of another job holds.
[[nodiscard]] std::vector<CompactionJob> plan_days(std::vector<SegmentEntry> live,
                                                   const PlanOptions& options);

}  // namespace hearth::storage
