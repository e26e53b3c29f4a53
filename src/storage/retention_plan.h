#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/compaction_plan.h"
#include "storage/retention.h"

namespace hearth::storage {

struct RetentionPlan {
  std::vector<std::string> removed;   ///< Merged segments that go as a whole.
  std::vector<CompactionJob> reduced;  ///< One segment each, which some of its services leave.
};
/// What of the merged segments has to go now. Fresh segments wait until they are merged.
[[nodiscard]] RetentionPlan plan_retention(const std::vector<SegmentEntry>& live,
                                           const Retention& retention, int64_t now_ns);
/// Whether profiles of that window are too old.
[[nodiscard]] bool is_expired(const Retention& retention, std::string_view tenant,
                              std::string_view service, int64_t window_end_ns, int64_t now_ns);

}  // namespace hearth::storage
