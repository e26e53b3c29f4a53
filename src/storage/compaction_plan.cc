#include "storage/compaction_plan.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "base/saturate.h"

namespace hearth::storage {
namespace {

/// A service's parts in more segments of one window than this are merged whatever their sizes.
constexpr size_t kSpreadMax = 7;
/// A part whose profiles lie further apart is taken to touch the first and last of its hours only.
constexpr int64_t kHoursListedMax = 48;

using Window = std::pair<std::string, int64_t>;  // Tenant, start.

int64_t first_start(const SegmentEntry& entry) {
  int64_t t = INT64_MAX;
  for (const auto& part : entry.parts) t = std::min(t, part.t_min_ns);
  return t;
}

/// The one window of a merged segment.
Window window_of(const SegmentEntry& entry, int64_t unit_ns) {
  return {entry.parts.front().tenant, floor_time(entry.parts.front().t_min_ns, unit_ns)};
}

/// Bytes that a fresh segment brings to each window, in proportion to profiles.
void add_touched(const SegmentEntry& entry, std::map<Window, uint64_t>& bytes) {
  uint64_t profiles = 0;
  for (const auto& part : entry.parts) profiles += part.profiles;
  const double per_profile = static_cast<double>(entry.segment.size) /
                             static_cast<double>(std::max<uint64_t>(profiles, 1));
  for (const auto& part : entry.parts) {
    const auto share = static_cast<uint64_t>(per_profile * static_cast<double>(part.profiles));
    const int64_t first = floor_time(part.t_min_ns, kHourNs);
    const int64_t last = floor_time(part.t_max_ns, kHourNs);
    bytes[{part.tenant, first}] += share;
    const bool far = last / kHourNs - first / kHourNs > kHoursListedMax;
    for (int64_t h = far ? last : first; h < last; h += kHourNs) bytes[{part.tenant, h}] += 0;
    if (last != first) bytes[{part.tenant, last}] += share;
  }
}

/// In how many of the segments a service occurs, at most over all services.
size_t spread_of(const std::vector<const SegmentEntry*>& segments) {
  std::map<std::string_view, size_t> count;
  size_t most = 0;
  for (const SegmentEntry* entry : segments) {
    std::set<std::string_view> services;
    for (const auto& part : entry->parts) services.insert(part.service);
    for (const std::string_view service : services) most = std::max(most, ++count[service]);
  }
  return most;
}

/// Which of the segments already merged for a window go into a merge that adds `new_bytes`.
std::vector<const SegmentEntry*> choose_merged(const std::vector<const SegmentEntry*>& merged,
                                               uint64_t new_bytes, bool force) {
  if (force || spread_of(merged) >= kSpreadMax) return merged;
  std::vector<const SegmentEntry*> chosen;
  for (const SegmentEntry* entry : merged) {
    if (entry->segment.size <= new_bytes) chosen.push_back(entry);
  }
  return chosen;
}

using ByWindow = std::map<Window, std::vector<const SegmentEntry*>>;

ByWindow merged_by_window(const std::vector<SegmentEntry>& live, uint8_t level, int64_t unit_ns) {
  ByWindow out;
  for (const SegmentEntry& entry : live) {
    if (entry.segment.level == level && !entry.parts.empty())
      out[window_of(entry, unit_ns)].push_back(&entry);
  }
  return out;
}

/// Groups of segments of which no service occurs in two: as ranges of services nest, one group per
/// widest range.
std::vector<std::vector<const SegmentEntry*>> by_services(
    const std::vector<const SegmentEntry*>& segments) {
  std::vector<size_t> group(segments.size());
  std::iota(group.begin(), group.end(), 0);
  const auto root = [&](size_t i) {
    while (group[i] != i) i = group[i] = group[group[i]];
    return i;
  };
  std::map<std::string_view, size_t> first_with;
  for (size_t i = 0; i < segments.size(); ++i) {
    for (const auto& part : segments[i]->parts) {
      const auto [it, added] = first_with.try_emplace(part.service, i);
      if (!added) group[root(i)] = root(it->second);
    }
  }
  std::map<size_t, std::vector<const SegmentEntry*>> by_root;
  for (size_t i = 0; i < segments.size(); ++i) by_root[root(i)].push_back(segments[i]);
  std::vector<std::vector<const SegmentEntry*>> out;
  for (auto& [first, list] : by_root) out.push_back(std::move(list));
  return out;
}

/// Empty when there is nothing to do.
CompactionJob day_job(const std::vector<const SegmentEntry*>& related, bool force) {
  CompactionJob job;
  job.level = 2;
  uint64_t bytes = 0;
  std::vector<const SegmentEntry*> days;
  for (const SegmentEntry* entry : related) {
    if (entry->segment.level == 2) {
      days.push_back(entry);
      continue;
    }
    job.inputs.push_back(*entry);
    bytes += entry->segment.size;
  }
  if (job.inputs.empty() && !(force && spread_of(days) > 1)) return {};
  for (const SegmentEntry* entry : choose_merged(days, bytes, force)) job.inputs.push_back(*entry);
  return job;
}

}  // namespace

int64_t floor_time(int64_t time_ns, int64_t unit_ns) {
  const int64_t rest = time_ns % unit_ns;
  const int64_t below = rest < 0 ? rest + unit_ns : rest;
  return subtract_saturating(time_ns, below);  // The first window of all begins where numbers do.
}

int64_t window_end(uint8_t level, int64_t time_ns) {
  const int64_t length = level == 1 ? kHourNs : kDayNs;
  return add_saturating(floor_time(time_ns, length), length);
}

std::vector<CompactionJob> plan_hours(std::vector<SegmentEntry> live, const PlanOptions& options) {
  ByWindow merged = merged_by_window(live, 1, kHourNs);
  std::vector<const SegmentEntry*> fresh;
  for (const SegmentEntry& entry : live) {
    if (entry.segment.level == 0 && first_start(entry) < options.over_before_ns)
      fresh.push_back(&entry);
  }
  std::ranges::sort(
      fresh, {}, [](const SegmentEntry* e) { return std::pair(first_start(*e), e->segment.key); });
  std::vector<CompactionJob> jobs;
  for (size_t i = 0; i < fresh.size();) {
    CompactionJob job;
    std::map<Window, uint64_t> touched;
    for (uint64_t datasets = 0; i < fresh.size(); ++i) {
      datasets += fresh[i]->segment.datasets;
      if (datasets > options.datasets_max && !job.inputs.empty()) break;
      job.inputs.push_back(*fresh[i]);
      add_touched(*fresh[i], touched);
    }
    for (const auto& [window, bytes] : touched) {
      const auto there = merged.find(window);
      if (there == merged.end()) continue;
      for (const SegmentEntry* entry : choose_merged(there->second, bytes, options.force)) {
        job.inputs.push_back(*entry);
        std::erase(there->second, entry);  // No other batch may take it, too.
      }
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::vector<CompactionJob> plan_days(std::vector<SegmentEntry> live, const PlanOptions& options) {
  ByWindow windows = merged_by_window(live, 1, kDayNs);
  for (auto& [window, entries] : merged_by_window(live, 2, kDayNs))
    windows[window].insert(windows[window].end(), entries.begin(), entries.end());
  std::vector<CompactionJob> jobs;
  for (const auto& [window, entries] : windows) {
    if (window.second >= options.over_before_ns) continue;
    for (const auto& related : by_services(entries)) {
      CompactionJob job = day_job(related, options.force);
      if (!job.inputs.empty()) jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

}  // namespace hearth::storage
