#include "storage/seal_encoder.h"

#include <algorithm>
#include <tuple>
#include <unordered_map>
#include <vector>

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

Status add_record(const HeadRecord& record, Rows& rows,
                  std::unordered_map<std::string_view, uint32_t>& series, DatasetInput& out) {
  const size_t types = out.family.types.size();
  const auto [it, added] =
      series.try_emplace(record.series, static_cast<uint32_t>(out.series.size()));
  if (added) {
    HEARTH_ASSIGN_OR_RETURN(LabelSet labels, LabelSet::decode(record.series));
    out.series.push_back(std::move(labels));
  }
  HEARTH_RETURN_IF_ERROR(decode_rows(record.row_bytes, record.rows, types, rows));
  out.profile_series.push_back(it->second);
  out.profile_start_ns.push_back(record.start_ns);
  out.profile_duration_ns.push_back(record.duration_ns);
  out.profile_period.push_back(record.period);
  out.profile_id.push_back(record.id);
  out.row_key.insert(out.row_key.end(), rows.keys.begin(), rows.keys.end());
  out.row_value.insert(out.row_value.end(), rows.values.begin(), rows.values.end());
  out.row_begin.push_back(static_cast<uint32_t>(out.row_key.size()));
  return {};
}

Result<DatasetInput> dataset_input(const HeadGroup& group) {
  const DatasetInfo info = group.info();
  DatasetInput out;
  out.tenant = info.tenant;
  out.service = info.service;
  out.family = info.family;
  HEARTH_ASSIGN_OR_RETURN(out.symbols, group.epoch()->tables());
  out.row_key.reserve(info.rows);
  out.row_value.reserve(info.rows * info.family.types.size());
  out.row_begin.push_back(0);
  Rows rows;
  std::unordered_map<std::string_view, uint32_t> series;
  for (const auto& record : group.records()) {
    HEARTH_RETURN_IF_ERROR(add_record(*record, rows, series, out));
  }
  return out;
}

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

SegmentEntry::Part part_of(const HeadGroup& group) {
  const DatasetInfo info = group.info();
  return {info.tenant, info.service, info.t_min_ns, info.t_max_ns, info.profiles};
}

}  // namespace

Result<EncodedSegment> encode_segment(const HeadGeneration& generation,
                                      SegmentWriter::Options options) {
  const Groups groups = sorted_groups(generation);
  EncodedSegment out;
  options.level = 0;
  set_window(groups, options);
  out.entry.segment = {options.object_key, options.uuid, 0, options.level, groups.size()};
  SegmentWriter writer(std::move(options), [&out](std::string_view bytes) -> Status {
    out.bytes.append(bytes);
    return {};
  });
  for (const HeadGroup* group : groups) {
    HEARTH_ASSIGN_OR_RETURN(const DatasetInput input, dataset_input(*group));
    HEARTH_RETURN_IF_ERROR(writer.add(input));
    out.entry.parts.push_back(part_of(*group));
  }
  HEARTH_RETURN_IF_ERROR(writer.finish());
  out.entry.segment.size = out.bytes.size();
  return out;
}

}  // namespace hearth::storage
