#pragma once

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/dataset.h"
#include "storage/store.h"
#include "symbols/dictionary.h"

namespace hearth::test {

/// A dataset in memory, rows as they were appended. Shape as storage::Dataset says for the head.
class MemoryDataset final : public storage::Dataset {
 public:
  struct Columns {
    std::vector<uint32_t> series, rows;
    std::vector<int64_t> start_ns, duration_ns, period;
    std::vector<Id128> ids;
    std::vector<std::vector<int64_t>> totals;  ///< By type, then profile.
  };
  struct Row {
    uint32_t key = 0;
    std::vector<int64_t> values;
  };

  [[nodiscard]] const storage::DatasetInfo& info() const override { return info_; }
  [[nodiscard]] bool may_have_label(std::string_view name, std::string_view value) const override {
    return std::any_of(series_.begin(), series_.end(),
                       [&](const LabelSet& s) { return s.get(name) == value; });
  }
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override {
    return std::make_shared<const std::vector<LabelSet>>(series_);
  }
  [[nodiscard]] Result<std::shared_ptr<const storage::ProfileColumns>> profiles() const override {
    auto owner = std::make_shared<const Columns>(columns_);
    auto out = std::make_shared<storage::ProfileColumns>();
    out->series = owner->series;
    out->start_ns = owner->start_ns;
    out->duration_ns = owner->duration_ns;
    out->period = owner->period;
    out->rows = owner->rows;
    out->ids = owner->ids;
    for (const auto& column : owner->totals) out->totals.emplace_back(column);
    out->owner = std::move(owner);
    return out;
  }
  [[nodiscard]] Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const override {
    return tables_;
  }
  [[nodiscard]] Status add_rows(std::span<const uint32_t> chosen, size_t type,
                                std::span<int64_t> by_key) const override {
    for (const uint32_t profile : chosen) {
      for (const Row& row : rows_[profile])
        by_key[row.key] = saturating_add(by_key[row.key], row.values[type]);
    }
    return {};
  }
  [[nodiscard]] uint64_t stored_bytes() const override { return info_.rows * 12; }
  [[nodiscard]] Id128 symbols_id() const override { return symbols_id_; }

  static int64_t saturating_add(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (!__builtin_add_overflow(a, b, &sum)) return sum;
    return a < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
  }

 private:
  friend class MemoryStore;
  storage::DatasetInfo info_;
  std::vector<LabelSet> series_;
  Columns columns_;
  std::vector<std::vector<Row>> rows_;  // By profile.
  std::shared_ptr<const symbols::SymbolTables> tables_;
  Id128 symbols_id_;
};

/// storage::Store without a disk: keeps what is appended as head-like datasets, one dictionary per
/// (tenant, service). Nothing is ever sealed. Thread-safe.
class MemoryStore final : public storage::Store {
 public:
  [[nodiscard]] Result<storage::AppendOutcome> append(
      const Tenant& tenant, std::span<const storage::AppendProfile> profiles) override {
    const std::lock_guard lock(mutex_);
    if (refuse_) return tl::unexpected(*refuse_);
    storage::AppendOutcome outcome;
    for (const storage::AppendProfile& profile : profiles) {
      if (profile.id && !ids_[tenant.id()].insert(*profile.id).second) {
        ++outcome.duplicates;
      } else {
        add(tenant, profile);
        ++outcome.stored;
      }
    }
    return outcome;
  }

  [[nodiscard]] Result<View> view(const Tenant& tenant, const ViewQuery& query) override {
    const std::lock_guard lock(mutex_);
    View view;
    for (const auto& [key, dataset] : datasets_) {
      const storage::DatasetInfo& info = dataset->info();
      if (info.tenant != tenant.id() || info.t_max_ns < query.t_min_ns ||
          info.t_min_ns > query.t_max_ns)
        continue;
      if (query.service && info.service != *query.service) continue;
      view.datasets.push_back(snapshot(*dataset));
    }
    return view;
  }

  [[nodiscard]] Result<uint64_t> seal() override { return 0; }
  [[nodiscard]] Status step() override { return {}; }
  [[nodiscard]] storage::StoreStats stats() const override {
    const std::lock_guard lock(mutex_);
    storage::StoreStats stats;
    for (const auto& [key, dataset] : datasets_) {
      stats.head_profiles += dataset->info().profiles;
      stats.rows_total += dataset->info().rows;
    }
    stats.profiles_total = stats.head_profiles;
    stats.head_dictionaries = dictionaries_.size();
    return stats;
  }
  [[nodiscard]] Result<std::optional<std::string>> meta_get(std::string_view kind,
                                                            const Tenant& tenant,
                                                            std::string_view name) override {
    const std::lock_guard lock(mutex_);
    const auto found = meta_.find(meta_key(kind, tenant, name));
    return found == meta_.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] Status meta_put(std::string_view kind, const Tenant& tenant, std::string_view name,
                                std::string_view value) override {
    const std::lock_guard lock(mutex_);
    meta_[meta_key(kind, tenant, name)] = value;
    return {};
  }
  [[nodiscard]] std::optional<std::string> not_ready_reason() const override {
    const std::lock_guard lock(mutex_);
    return refuse_ ? std::optional(refuse_->message) : std::nullopt;
  }

  /// Makes every append fail with `error` until called with nullopt.
  void refuse(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    refuse_ = std::move(error);
  }
  /// Every series that has a profile, in order.
  [[nodiscard]] std::vector<LabelSet> all_series() const {
    const std::lock_guard lock(mutex_);
    std::set<LabelSet> out;
    for (const auto& [key, dataset] : datasets_)
      out.insert(dataset->series_.begin(), dataset->series_.end());
    return {out.begin(), out.end()};
  }

 private:
  using DatasetKey = std::tuple<std::string, std::string, Family>;  // Tenant, service, family.
  using MetaKey = std::tuple<std::string, std::string, std::string>;

  static MetaKey meta_key(std::string_view kind, const Tenant& tenant, std::string_view name) {
    return {std::string(kind), tenant.id(), std::string(name)};
  }
  static Family family_of(const ProfileBatch& b) {
    const auto named = [&b](const ProfileBatch::ValueType& t) {
      return SampleType{std::string(b.strings[t.type]), std::string(b.strings[t.unit])};
    };
    Family family;
    for (const auto& t : b.sample_types) family.types.push_back(named(t));
    family.period = named(b.period_type);
    return family;
  }
  symbols::Dictionary& dictionary(const std::string& tenant, const std::string& service) {
    auto& slot = dictionaries_[{tenant, service}];
    if (!slot) slot = std::make_unique<symbols::Dictionary>(Id128{1, dictionaries_.size()}, 1);
    return *slot;
  }
  MemoryDataset& dataset(const Tenant& tenant, const std::string& service, const Family& family) {
    auto& slot = datasets_[{tenant.id(), service, family}];
    if (slot) return *slot;
    slot = std::make_shared<MemoryDataset>();
    slot->info_.tenant = tenant.id();
    slot->info_.service = service;
    slot->info_.family = family;
    slot->info_.t_min_ns = std::numeric_limits<int64_t>::max();
    slot->info_.t_max_ns = std::numeric_limits<int64_t>::min();
    slot->info_.totals.resize(family.types.size());
    slot->columns_.totals.resize(family.types.size());
    return *slot;
  }
  static uint32_t series_index(MemoryDataset& d, const LabelSet& series) {
    const auto found = std::find(d.series_.begin(), d.series_.end(), series);
    const auto index = static_cast<uint32_t>(found - d.series_.begin());
    if (index == d.series_.size()) d.series_.push_back(series);
    return index;
  }
  void add(const Tenant& tenant, const storage::AppendProfile& profile) {
    const ProfileBatch& batch = *profile.batch;
    const std::string service(profile.series->get(label::kServiceName));
    std::vector<uint32_t> keys;
    dictionary(tenant.id(), service).map(batch, keys);
    MemoryDataset& d = dataset(tenant, service, family_of(batch));
    std::vector<int64_t> totals(batch.types());
    auto& rows = d.rows_.emplace_back();
    for (const uint32_t sample : profile.samples) {
      MemoryDataset::Row row{keys[sample], {}};
      for (size_t t = 0; t < batch.types(); ++t) {
        row.values.push_back(batch.value(sample, t));
        totals[t] = MemoryDataset::saturating_add(totals[t], batch.value(sample, t));
      }
      rows.push_back(std::move(row));
    }
    d.columns_.series.push_back(series_index(d, *profile.series));
    d.columns_.rows.push_back(static_cast<uint32_t>(rows.size()));
    d.columns_.start_ns.push_back(batch.time_ns);
    d.columns_.duration_ns.push_back(batch.duration_ns);
    d.columns_.period.push_back(batch.period);
    d.columns_.ids.push_back(profile.id.value_or(Id128{0, ++next_id_}));
    d.info_.t_min_ns = std::min(d.info_.t_min_ns, batch.time_ns);
    d.info_.t_max_ns = std::max(d.info_.t_max_ns, batch.time_ns);
    d.info_.profiles++;
    d.info_.rows += rows.size();
    for (size_t t = 0; t < totals.size(); ++t) {
      d.columns_.totals[t].push_back(totals[t]);
      d.info_.totals[t] = MemoryDataset::saturating_add(d.info_.totals[t], totals[t]);
    }
  }
  std::shared_ptr<const storage::Dataset> snapshot(const MemoryDataset& d) {
    auto out = std::make_shared<MemoryDataset>(d);
    const symbols::Dictionary& symbols = dictionary(d.info_.tenant, d.info_.service);
    out->tables_ = symbols.tables();
    out->symbols_id_ = symbols.id();
    out->info_.series = d.series_.size();
    out->info_.nodes = out->tables_->nodes();
    out->info_.keys = out->tables_->keys();
    return out;
  }

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<symbols::Dictionary>> dictionaries_;
  std::map<DatasetKey, std::shared_ptr<MemoryDataset>> datasets_;
  std::map<std::string, std::set<Id128>> ids_;
  std::map<MetaKey, std::string> meta_;
  std::optional<Error> refuse_;
  uint64_t next_id_ = 0;
};

}  // namespace hearth::test
