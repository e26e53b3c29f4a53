#include "storage/head_dataset.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "storage/profile_section.h"

namespace hearth::storage {

HeadDataset::HeadDataset(std::shared_ptr<const HeadGroup> group)
    : group_(std::move(group)), info_(group_->info()), bytes_(group_->bytes()) {
  records_.reserve(group_->records().size());
  for (const auto& record : group_->records()) {
    records_.push_back(record.get());
    has_side_ = has_side_ || record->side_entries != 0;
  }
}

// Under mutex_.
Status HeadDataset::index_series() const {
  if (series_) return {};
  auto series = std::make_shared<std::vector<LabelSet>>();
  std::unordered_map<std::string_view, uint32_t> known;
  std::vector<uint32_t> series_of;
  series_of.reserve(records_.size());
  for (const HeadRecord* record : records_) {
    const auto [it, added] =
        known.try_emplace(record->series, static_cast<uint32_t>(series->size()));
    if (added) {
      HEARTH_ASSIGN_OR_RETURN(LabelSet labels, LabelSet::decode(record->series));
      series->push_back(std::move(labels));
    }
    series_of.push_back(it->second);
  }
  series_of_ = std::move(series_of);
  series_ = std::move(series);
  return {};
}

Result<std::shared_ptr<const std::vector<LabelSet>>> HeadDataset::series() const {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(index_series());
  return series_;
}

bool HeadDataset::may_have_label(std::string_view name, std::string_view value) const {
  const auto all = series();
  if (!all) return true;
  for (const LabelSet& labels : **all) {
    if (labels.get(name) == value) return true;
  }
  return false;
}

Result<std::shared_ptr<const ProfileColumns>> HeadDataset::profiles() const {
  const std::lock_guard lock(mutex_);
  if (profiles_) return profiles_;
  HEARTH_RETURN_IF_ERROR(index_series());
  auto columns = std::make_shared<ProfileTable>();
  columns->series = series_of_;
  columns->totals.resize(info_.family.types.size());
  for (const HeadRecord* record : records_) {
    columns->start_ns.push_back(record->start_ns);
    columns->duration_ns.push_back(record->duration_ns);
    columns->period.push_back(record->period);
    columns->rows.push_back(record->rows);
    columns->ids.push_back(record->id);
    for (size_t t = 0; t < columns->totals.size(); ++t) {
      columns->totals[t].push_back(t < record->totals.size() ? record->totals[t] : 0);
    }
  }
  profiles_ = share_profiles(std::move(columns));
  return profiles_;
}

// One snapshot per dataset: key counts must not grow between two calls of a query.
Result<std::shared_ptr<const symbols::SymbolTables>> HeadDataset::symbols() const {
  const std::lock_guard lock(mutex_);
  if (!symbols_) {
    HEARTH_ASSIGN_OR_RETURN(symbols_, group_->epoch()->tables());
  }
  return symbols_;
}

Status HeadDataset::add_rows(std::span<const uint32_t> chosen, size_t type,
                             std::span<int64_t> by_key) const {
  const size_t types = info_.family.types.size();
  for (const uint32_t profile : chosen) {
    if (profile >= records_.size()) {
      return fail(ErrorCode::internal, fmt::format("add rows of profile {}: the dataset has {}",
                                                   profile, records_.size()));
    }
    const HeadRecord& record = *records_[profile];
    HEARTH_RETURN_IF_ERROR(add_encoded_rows(record.row_bytes, record.rows, types, type, by_key));
  }
  return {};
}

Status HeadDataset::add_side_rows(std::span<const uint32_t> chosen, size_t type,
                                  const SideSelector& selector, std::span<int64_t> by_key) const {
  const size_t types = info_.family.types.size();
  SideTable side;
  for (const uint32_t profile : chosen) {
    if (profile >= records_.size() || type >= types) {
      return fail(ErrorCode::internal,
                  fmt::format("add side rows of profile {}: the dataset has {} and {} types",
                              profile, records_.size(), types));
    }
    HEARTH_RETURN_IF_ERROR(decode_side(*records_[profile], by_key.size(), side));
    add_side_values(side, 0, side.entries.size(), types, type, selector, by_key);
  }
  return {};
}

}  // namespace hearth::storage
