#include "storage/retention_plan.h"

#include <algorithm>
#include <utility>

namespace hearth::storage {
namespace {

int64_t end_of_window(const SegmentEntry& entry) {
  return window_end(entry.segment.level, entry.parts.front().t_min_ns);
}

/// 0: none of its services is too old; all: every one is.
size_t count_expired(const SegmentEntry& entry, const Retention& retention, int64_t now_ns) {
  return static_cast<size_t>(std::ranges::count_if(entry.parts, [&](const auto& part) {
    return is_expired(retention, part.tenant, part.service, end_of_window(entry), now_ns);
  }));
}

/// The oldest of the segments until the rest fits. Fresh ones count, but stay.
void remove_oldest(std::vector<const SegmentEntry*> merged, uint64_t bytes, uint64_t bytes_max,
                   std::vector<std::string>& removed) {
  std::ranges::sort(merged, {}, [](const SegmentEntry* e) {
    return std::pair(end_of_window(*e), e->segment.key);
  });
  for (const SegmentEntry* entry : merged) {
    if (bytes <= bytes_max) return;
    bytes -= entry->segment.size;
    removed.push_back(entry->segment.key);
  }
}

}  // namespace

bool is_expired(const Retention& retention, std::string_view tenant, std::string_view service,
                int64_t window_end_ns, int64_t now_ns) {
  const int64_t age = retention.age_of(tenant, service);
  return age > 0 && window_end_ns <= now_ns - age;
}

RetentionPlan plan_retention(const std::vector<SegmentEntry>& live, const Retention& retention,
                             int64_t now_ns) {
  RetentionPlan plan;
  std::vector<const SegmentEntry*> kept;
  uint64_t bytes = 0;
  for (const SegmentEntry& entry : live) {
    const bool merged = entry.segment.level > 0 && !entry.parts.empty();
    const size_t expired = merged ? count_expired(entry, retention, now_ns) : 0;
    if (expired > 0 && expired == entry.parts.size()) {
      plan.removed.push_back(entry.segment.key);
      continue;
    }
    bytes += entry.segment.size;
    if (merged) kept.push_back(&entry);
    if (expired > 0) plan.reduced.push_back({entry.segment.level, {entry}});
  }
  if (retention.bytes_max == 0 || bytes <= retention.bytes_max) return plan;
  remove_oldest(std::move(kept), bytes, retention.bytes_max, plan.removed);
  std::erase_if(plan.reduced, [&](const CompactionJob& job) {
    return std::ranges::count(plan.removed, job.inputs[0].segment.key) > 0;
  });
  return plan;
}

}  // namespace hearth::storage
