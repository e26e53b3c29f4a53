#include "storage/seal_encoder.h"

#include <algorithm>
#include <span>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/log.h"

namespace hearth::storage {
namespace {

using Groups = std::vector<const HeadGroup*>;

// The order in which the writer wants datasets; epochs of one service follow each other.
Groups sorted_groups(const HeadGeneration& generation) {
  Groups groups;
  for (const auto& [key, group] : generation.groups()) {
    if (!group->records().empty()) groups.push_back(group.get());
  }
  std::ranges::sort(groups, [](const HeadGroup* a, const HeadGroup* b) {
    const Epoch::Identity& left = a->epoch()->identity();
    const Epoch::Identity& right = b->epoch()->identity();
    const auto by_name = std::tie(left.tenant_name, left.service_name) <=>
                         std::tie(right.tenant_name, right.service_name);
    if (by_name != 0) return by_name < 0;
    const Family left_family = a->info().family;
    const Family right_family = b->info().family;
    return std::tie(left_family, left.number) < std::tie(right_family, right.number);
  });
  return groups;
}

using Records = std::span<const std::unique_ptr<const HeadRecord>>;

Status add_record(const HeadRecord& record, Rows& rows,
                  std::unordered_map<std::string_view, uint32_t>& series, DatasetInput& out) {
  const size_t types = out.family.types.size();
  const auto known = series.find(record.series);
  const auto index =
      known != series.end() ? known->second : static_cast<uint32_t>(out.series.size());
  HEARTH_RETURN_IF_ERROR(decode_rows(record.row_bytes, record.rows, types, rows));
  SideTable side;
  HEARTH_RETURN_IF_ERROR(decode_side(record, out.symbols->keys(), side));
  if (known == series.end()) {
    HEARTH_ASSIGN_OR_RETURN(LabelSet labels, LabelSet::decode(record.series));
    out.series.push_back(std::move(labels));
    series.emplace(record.series, index);
  }
  out.profile_series.push_back(index);
  out.profile_start_ns.push_back(record.start_ns);
  out.profile_duration_ns.push_back(record.duration_ns);
  out.profile_period.push_back(record.period);
  out.profile_id.push_back(record.id);
  out.row_key.insert(out.row_key.end(), rows.keys.begin(), rows.keys.end());
  out.row_value.insert(out.row_value.end(), rows.values.begin(), rows.values.end());
  out.row_begin.push_back(static_cast<uint32_t>(out.row_key.size()));
  out.side.count.push_back(record.side_entries);
  out.side.entries.insert(out.side.entries.end(), side.entries.begin(), side.entries.end());
  out.side.values.insert(out.side.values.end(), side.values.begin(), side.values.end());
  return {};
}

/// Writes the groups of a generation. What is wrong with a dataset for good must not hold up the
/// seal for good: one that a segment cannot hold is halved, by profiles, until its parts fit, and
/// a profile that cannot be written even alone is left out and told.
class GroupWriter {
 public:
  GroupWriter(SegmentWriter& writer, EncodedSegment& out) : writer_(writer), out_(out) {}

  Status write(const HeadGroup& group) {
    HEARTH_ASSIGN_OR_RETURN(symbols_, group.epoch()->ordered_tables());
    info_ = group.info();
    return write(group.records());
  }

 private:
  Status write(Records records) {
    const std::map<std::string, uint64_t> left_out_before = out_.left_out;
    const DatasetInput input = dataset_input(records);
    if (input.profile_series.empty()) return {};
    const Status added = writer_.add(input);
    if (added) {
      out_.entry.parts.push_back(part_of(input));
      return {};
    }
    if (added.error().code != ErrorCode::too_large) return added;
    if (records.size() == 1) {
      leave_out(added.error());
      return {};
    }
    out_.left_out = left_out_before;
    HEARTH_RETURN_IF_ERROR(write(records.first(records.size() / 2)));
    return write(records.subspan(records.size() / 2));
  }

  DatasetInput dataset_input(Records records) {
    DatasetInput input;
    input.tenant = info_.tenant;
    input.service = info_.service;
    input.family = info_.family;
    input.symbols = symbols_.tables;
    input.order = symbols_.order;
    size_t rows_total = 0;
    for (const auto& record : records) rows_total += record->rows;
    input.row_key.reserve(rows_total);
    input.row_value.reserve(rows_total * info_.family.types.size());
    input.row_begin.push_back(0);
    Rows rows;
    std::unordered_map<std::string_view, uint32_t> series;
    for (const auto& record : records) {
      if (const Status added = add_record(*record, rows, series, input); !added) {
        leave_out(added.error());
      }
    }
    return input;
  }

  void leave_out(const Error& error) {
    ++out_.left_out[info_.tenant];
    log::error("a profile cannot be sealed and is left out",
               {{"tenant", info_.tenant}, {"service", info_.service}, {"error", error.message}});
  }

  [[nodiscard]] SegmentEntry::Part part_of(const DatasetInput& input) const {
    const auto [t_min, t_max] = std::ranges::minmax(input.profile_start_ns);
    return {info_.tenant, info_.service, t_min, t_max, input.profile_series.size()};
  }

  SegmentWriter& writer_;
  EncodedSegment& out_;
  DatasetInfo info_;
  Epoch::Ordered symbols_;
};

void set_window(const Groups& groups, SegmentWriter::Options& options) {
  int64_t t_min = INT64_MAX;
  int64_t t_max = INT64_MIN;
  for (const HeadGroup* group : groups) {
    const DatasetInfo info = group->info();
    t_min = std::min(t_min, info.t_min_ns);
    t_max = std::max(t_max, info.t_max_ns);
  }
  if (groups.empty()) return;
  options.window_start_ns = t_min;
  options.window_length_ns = static_cast<uint64_t>(t_max) - static_cast<uint64_t>(t_min);
}

}  // namespace

Result<EncodedSegment> encode_segment(const HeadGeneration& generation,
                                      SegmentWriter::Options options) {
  const Groups groups = sorted_groups(generation);
  EncodedSegment out;
  options.level = 0;
  set_window(groups, options);
  out.entry.segment = {options.object_key, options.uuid, 0, options.level, 0};
  SegmentWriter writer(std::move(options), [&out](std::string_view bytes) -> Status {
    out.bytes.append(bytes);
    return {};
  });
  GroupWriter group_writer(writer, out);
  for (const HeadGroup* group : groups) HEARTH_RETURN_IF_ERROR(group_writer.write(*group));
  HEARTH_RETURN_IF_ERROR(writer.finish());
  out.entry.segment.datasets = out.entry.parts.size();
  out.entry.segment.size = out.bytes.size();
  return out;
}

}  // namespace hearth::storage
