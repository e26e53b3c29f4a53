#include "storage/dataset_merge.h"

#include <algorithm>
#include <tuple>

#include "storage/ranking.h"

namespace hearth::storage {

struct DatasetMerge::Source {
  const SegmentDataset* dataset = nullptr;
  std::shared_ptr<const ProfileIndex> index;
  std::vector<uint32_t> series;  ///< Own series → index in series_.
  uint64_t side_entries = 0;     ///< That go along.
};

/// One profile of the output.
struct DatasetMerge::Pick {
  uint32_t series = 0, source = 0, profile = 0, part = 0;
  int64_t start_ns = 0;
  Id128 id;  ///< Zero where ids are not kept.
  int64_t duration_ns = 0, period = 0;
};

namespace {

void append_profile(const ProfileTable& from, uint32_t p, ProfileTable& to) {
  to.rows.push_back(from.rows[p]);
  to.start_ns.push_back(from.start_ns[p]);
  to.duration_ns.push_back(from.duration_ns[p]);
  to.period.push_back(from.period[p]);
  for (size_t t = 0; t < to.totals.size(); ++t) to.totals[t].push_back(from.totals[t][p]);
}

struct PartSize {
  double profiles = 0, rows = 0, nodes = 0, bytes = 0;
  PartSize operator+(const PartSize& o) const {
    return {profiles + o.profiles, rows + o.rows, nodes + o.nodes, bytes + o.bytes};
  }
  [[nodiscard]] bool fits(const MergeLimits& limits) const {
    return rows <= static_cast<double>(limits.rows) && nodes <= static_cast<double>(limits.nodes) &&
           bytes <= static_cast<double>(limits.stored_bytes) &&
           profiles <= static_cast<double>(limits.profiles);
  }
};

}  // namespace

DatasetMerge::DatasetMerge() = default;
DatasetMerge::~DatasetMerge() = default;

uint64_t DatasetMerge::profiles() const {
  return picks_.size();
}

Status DatasetMerge::open(std::vector<const SegmentDataset*> sources, const Options& options) {
  side_ = options.keep_side;
  HEARTH_RETURN_IF_ERROR(read_sources(sources));
  pick_profiles(options);
  drop_duplicates();
  split(options.limits);
  return {};
}

Status DatasetMerge::read_sources(const std::vector<const SegmentDataset*>& sources) {
  std::vector<LabelSet> series;
  SortedRuns runs = {0};
  for (failed_source_ = 0; failed_source_ < sources.size(); ++failed_source_) {
    Source& source = sources_.emplace_back();
    source.dataset = sources[failed_source_];
    HEARTH_ASSIGN_OR_RETURN(source.index, source.dataset->profile_index());
    HEARTH_ASSIGN_OR_RETURN(const auto own, source.dataset->series());
    series.insert(series.end(), own->begin(), own->end());
    runs.push_back(static_cast<uint32_t>(series.size()));
    ids_ = ids_ && !source.index->profiles.ids.empty();
    if (!side_) continue;
    HEARTH_ASSIGN_OR_RETURN(const SideSection side, source.dataset->side());
    source.side_entries = side.entries();
  }
  const std::vector<uint8_t> used(series.size(), 1);
  const Ranking ranking = rank_runs(
      used, runs, [&](uint32_t a, uint32_t b) { return compare_values(series[a], series[b]); });
  for (size_t s = 0; s < sources_.size(); ++s) {
    sources_[s].series.assign(ranking.rank.begin() + runs[s], ranking.rank.begin() + runs[s + 1]);
  }
  for (const uint32_t i : ranking.first) series_.push_back(std::move(series[i]));
  return {};
}

// By profile; empty when there is no deletion.
std::vector<uint8_t> DatasetMerge::deleted_of(const Source& source,
                                              std::span<const Deletion* const> deletions) const {
  if (deletions.empty()) return {};
  const ProfileTable& from = source.index->profiles;
  std::vector<uint32_t> series_of;
  series_of.reserve(from.size());
  for (const uint32_t s : from.series) series_of.push_back(source.series[s]);
  return find_deleted(deletions, series_, series_of, from.start_ns).flags;
}

void DatasetMerge::pick_profiles(const Options& options) {
  ids_ = ids_ && options.keep_ids;
  for (uint32_t s = 0; s < sources_.size(); ++s) {
    const ProfileTable& from = sources_[s].index->profiles;
    const std::vector<uint8_t> deleted = deleted_of(sources_[s], options.deletions);
    for (uint32_t p = 0; p < from.size(); ++p) {
      const int64_t start = from.start_ns[p];
      if (start < options.begin_ns || start > options.last_ns) continue;
      if (!deleted.empty() && deleted[p] != 0) {
        ++deleted_;
        continue;
      }
      const Id128 id = from.ids.empty() ? Id128{} : from.ids[p];
      picks_.push_back({sources_[s].series[from.series[p]], s, p, 0, start, id, from.duration_ns[p],
                        from.period[p]});
    }
  }
  const auto key = [](const Pick& p) {
    return std::tie(p.series, p.start_ns, p.id, p.duration_ns, p.period, p.source, p.profile);
  };
  std::ranges::sort(picks_, [&](const Pick& a, const Pick& b) { return key(a) < key(b); });
}

// A repeated profile has the same id, hence the same series and time, hence it is a neighbour.
void DatasetMerge::drop_duplicates() {
  const auto repeats = [](const Pick& a, const Pick& b) {
    return a.id != Id128{} && a.id == b.id && a.series == b.series && a.start_ns == b.start_ns;
  };
  const auto [first, last] = std::ranges::unique(picks_, repeats);
  duplicates_ = static_cast<uint64_t>(last - first);
  picks_.erase(first, last);
  if (ids_) return;
  // Without ids, their order must not show in the bytes.
  const auto key = [](const Pick& p) {
    return std::tie(p.series, p.start_ns, p.duration_ns, p.period);
  };
  std::ranges::stable_sort(picks_, [&](const Pick& a, const Pick& b) { return key(a) < key(b); });
}

// Greedy in the order of time: a part closes when the next profile would pass a limit. Nodes, bytes
// and side data of a source count by its profile's share.
void DatasetMerge::split(const MergeLimits& limits) {
  std::vector<uint32_t> by_time(picks_.size());
  for (uint32_t i = 0; i < by_time.size(); ++i) by_time[i] = i;
  std::ranges::stable_sort(by_time, {}, [&](uint32_t i) { return picks_[i].start_ns; });
  PartSize size;
  uint32_t part = 0;
  for (const uint32_t i : by_time) {
    const Source& source = sources_[picks_[i].source];
    const double share = 1.0 / static_cast<double>(source.dataset->info().profiles);
    const double side_rows = static_cast<double>(source.side_entries * kRowsOfSideEntry) * share;
    const PartSize profile{
        1, static_cast<double>(source.index->profiles.rows[picks_[i].profile]) + side_rows,
        share * static_cast<double>(source.dataset->info().nodes),
        share * static_cast<double>(source.dataset->stored_bytes())};
    const PartSize with = size + profile;
    const bool full = size.profiles > 0 && !with.fits(limits);
    if (full) ++part;
    size = full ? profile : with;
    picks_[i].part = part;
  }
  std::ranges::stable_sort(picks_, {}, &Pick::part);
  for (size_t i = 0; i < picks_.size(); ++i) {
    if (i == 0 || picks_[i].part != picks_[i - 1].part) parts_.push_back(i);
  }
}

MergePart DatasetMerge::describe(std::span<const Pick> picks,
                                 std::vector<size_t>& source_of) const {
  MergePart part;
  part.keep_side = side_;
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> chosen(sources_.size());
  part.profiles.totals.resize(sources_.front().index->profiles.totals.size());
  uint32_t last_series = UINT32_MAX;
  for (uint32_t i = 0; i < picks.size(); ++i) {
    const Pick& pick = picks[i];
    if (pick.series != last_series) part.series.push_back(series_[pick.series]);
    last_series = pick.series;
    part.profiles.series.push_back(static_cast<uint32_t>(part.series.size() - 1));
    if (ids_) part.profiles.ids.push_back(pick.id);
    append_profile(sources_[pick.source].index->profiles, pick.profile, part.profiles);
    chosen[pick.source].emplace_back(pick.profile, i);
  }
  for (size_t s = 0; s < sources_.size(); ++s) {
    if (chosen[s].empty()) continue;
    source_of.push_back(s);
    PartSource& source = part.sources.emplace_back();
    source.dataset = sources_[s].dataset;
    source.index = sources_[s].index.get();
    std::ranges::sort(chosen[s]);
    for (const auto& [profile, place] : chosen[s]) {
      source.chosen.push_back(profile);
      source.place.push_back(place);
    }
  }
  return part;
}

Result<CanonicalDataset> DatasetMerge::part(size_t index) {
  const size_t end = index + 1 < parts_.size() ? parts_[index + 1] : picks_.size();
  std::vector<size_t> source_of;
  MergePart part =
      describe(std::span(picks_).subspan(parts_[index], end - parts_[index]), source_of);
  size_t failed = 0;
  auto merged = merge_part(std::move(part), failed);
  if (!merged) failed_source_ = source_of[failed];
  return merged;
}

}  // namespace hearth::storage
