#pragma once

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/saturate.h"
#include "storage/dataset.h"
#include "storage/profile_section.h"
#include "storage/store.h"
#include "symbols/dictionary.h"

namespace hearth::test {

/// The sample types of a batch by name.
inline Family family_of(const ProfileBatch& batch) {
  const auto named = [&batch](const ProfileBatch::ValueType& t) {
    return SampleType{std::string(batch.strings[t.type]), std::string(batch.strings[t.unit])};
  };
  Family family;
  for (const auto& t : batch.sample_types) family.types.push_back(named(t));
  family.period = named(batch.period_type);
  return family;
}

/// What a view of a store holds: datasets of the tenant, and service if one is named, that touch
/// the time range.
inline bool in_view(const storage::DatasetInfo& info, const Tenant& tenant,
                    const storage::Store::ViewQuery& query) {
  return info.tenant == tenant.id() && (!query.service || *query.service == info.service) &&
         info.t_max_ns >= query.t_min_ns && info.t_min_ns <= query.t_max_ns;
}

/// A dataset in memory as plain columns, rows as they were appended. Shape as storage::Dataset says
/// for the head. A copy is a snapshot.
class ColumnDataset : public storage::Dataset {
 public:
  ColumnDataset(std::string tenant, std::string service, Family family) {
    info_.tenant = std::move(tenant);
    info_.service = std::move(service);
    info_.t_min_ns = std::numeric_limits<int64_t>::max();
    info_.t_max_ns = std::numeric_limits<int64_t>::min();
    info_.totals.resize(family.types.size());
    columns_.totals.resize(family.types.size());
    info_.family = std::move(family);
  }

  /// Appends the samples `samples` of the batch, whose keys stand at their index in `keys`.
  void append(const LabelSet& series, const ProfileBatch& batch, std::span<const uint32_t> samples,
              std::span<const uint32_t> keys, const Id128& id) {
    std::vector<int64_t> totals(batch.types());
    auto& rows = rows_.emplace_back();
    for (const uint32_t sample : samples) {
      Row row{keys[sample], {}, side_of(batch, sample)};
      has_side_ = has_side_ || !row.side.says_nothing();
      for (size_t t = 0; t < batch.types(); ++t) {
        row.values.push_back(batch.value(sample, t));
        totals[t] = add_saturating(totals[t], batch.value(sample, t));
      }
      rows.push_back(std::move(row));
    }
    append_columns(series, batch, id, rows.size(), totals);
  }
  /// The symbols that keys refer to, from now on.
  void use(const symbols::Dictionary& dictionary) {
    tables_ = dictionary.tables();
    symbols_id_ = dictionary.id();
    info_.nodes = tables_->nodes();
    info_.keys = tables_->keys();
  }
  [[nodiscard]] const std::vector<LabelSet>& label_sets() const { return series_; }

  [[nodiscard]] const storage::DatasetInfo& info() const override { return info_; }
  [[nodiscard]] bool may_have_label(std::string_view name, std::string_view value) const override {
    return std::any_of(series_.begin(), series_.end(),
                       [&](const LabelSet& s) { return s.get(name) == value; });
  }
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override {
    return std::make_shared<const std::vector<LabelSet>>(series_);
  }
  [[nodiscard]] Result<std::shared_ptr<const storage::ProfileColumns>> profiles() const override {
    return storage::share_profiles(std::make_shared<const storage::ProfileTable>(columns_));
  }
  [[nodiscard]] Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const override {
    return tables_;
  }
  [[nodiscard]] Status add_rows(std::span<const uint32_t> chosen, size_t type,
                                std::span<int64_t> by_key) const override {
    for (const uint32_t profile : chosen) {
      for (const Row& row : rows_[profile])
        by_key[row.key] = add_saturating(by_key[row.key], row.values[type]);
    }
    return {};
  }
  [[nodiscard]] bool has_side() const override { return has_side_; }
  [[nodiscard]] Status add_side_rows(std::span<const uint32_t> chosen, size_t type,
                                     const storage::SideSelector& selector,
                                     std::span<int64_t> by_key) const override {
    for (const uint32_t profile : chosen) {
      for (const Row& row : rows_[profile]) {
        if (!row.side.says_nothing() && selector.accepts(row.side))
          by_key[row.key] = add_saturating(by_key[row.key], row.values[type]);
      }
    }
    return {};
  }
  [[nodiscard]] uint64_t stored_bytes() const override { return info_.rows * 12; }
  [[nodiscard]] Id128 symbols_id() const override { return symbols_id_; }

 private:
  struct Row {
    uint32_t key = 0;
    std::vector<int64_t> values;
    storage::SideEntry side;
  };

  static storage::SideEntry side_of(const ProfileBatch& batch, uint32_t sample) {
    for (const ProfileBatch::SideData& s : batch.samples.side) {
      if (s.sample == sample) return {0, s.span_id, {s.trace_id_hi, s.trace_id_lo}, s.time_ns};
    }
    return {};
  }

  uint32_t series_index(const LabelSet& series) {
    const auto found = std::find(series_.begin(), series_.end(), series);
    const auto index = static_cast<uint32_t>(found - series_.begin());
    if (index == series_.size()) series_.push_back(series);
    return index;
  }
  void append_columns(const LabelSet& series, const ProfileBatch& batch, const Id128& id,
                      size_t rows, std::span<const int64_t> totals) {
    columns_.series.push_back(series_index(series));
    columns_.rows.push_back(static_cast<uint32_t>(rows));
    columns_.start_ns.push_back(batch.time_ns);
    columns_.duration_ns.push_back(batch.duration_ns);
    columns_.period.push_back(batch.period);
    columns_.ids.push_back(id);
    info_.t_min_ns = std::min(info_.t_min_ns, batch.time_ns);
    info_.t_max_ns = std::max(info_.t_max_ns, batch.time_ns);
    info_.profiles += 1;
    info_.rows += rows;
    info_.series = series_.size();
    for (size_t t = 0; t < totals.size(); ++t) {
      columns_.totals[t].push_back(totals[t]);
      info_.totals[t] = add_saturating(info_.totals[t], totals[t]);
    }
  }

  storage::DatasetInfo info_;
  std::vector<LabelSet> series_;
  storage::ProfileTable columns_;
  std::vector<std::vector<Row>> rows_;  // By profile.
  std::shared_ptr<const symbols::SymbolTables> tables_;
  Id128 symbols_id_;
  bool has_side_ = false;
};

}  // namespace hearth::test
