#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/store.h"
#include "symbols/dictionary.h"

namespace hearth::test {

/// A dataset held as plain columns over a real dictionary: what a query reads, without any storage.
class DictionaryDataset final : public storage::Dataset {
 public:
  DictionaryDataset(std::string tenant, std::string service, Family family, Id128 id)
      : dictionary_(id, 7) {
    info_.tenant = std::move(tenant);
    info_.service = std::move(service);
    info_.totals.assign(family.types.size(), 0);
    totals_.resize(family.types.size());
    info_.family = std::move(family);
  }

  /// Damages it: every later read of rows answers `data_loss`.
  void damage() { damaged_ = true; }

  void append(const LabelSet& series, const ProfileBatch& batch) {
    std::vector<uint32_t> keys;
    dictionary_.map(batch, keys);
    const size_t types = batch.types();
    std::map<uint32_t, std::vector<int64_t>> rows;
    for (size_t s = 0; s < keys.size(); ++s) {
      auto& values = rows.try_emplace(keys[s], types, 0).first->second;
      for (size_t t = 0; t < types; ++t) values[t] += batch.value(s, t);
    }
    const auto known = std::find(series_.begin(), series_.end(), series);
    series_of_.push_back(static_cast<uint32_t>(known - series_.begin()));
    if (known == series_.end()) series_.push_back(series);
    start_.push_back(batch.time_ns);
    duration_.push_back(batch.duration_ns);
    period_.push_back(batch.period);
    row_count_.push_back(static_cast<uint32_t>(rows.size()));
    for (size_t t = 0; t < types; ++t) {
      int64_t total = 0;
      for (const auto& [key, values] : rows) total += values[t];
      totals_[t].push_back(total);
      info_.totals[t] += total;
    }
    rows_.push_back(std::move(rows));
    info_.t_min_ns = info_.profiles == 0 ? batch.time_ns : std::min(info_.t_min_ns, batch.time_ns);
    info_.t_max_ns = info_.profiles == 0 ? batch.time_ns : std::max(info_.t_max_ns, batch.time_ns);
    info_.profiles += 1;
    info_.series = series_.size();
    tables_ = dictionary_.tables();
    info_.nodes = tables_->nodes();
    info_.keys = tables_->keys();
  }

  [[nodiscard]] const storage::DatasetInfo& info() const override { return info_; }
  [[nodiscard]] bool may_have_label(std::string_view name, std::string_view value) const override {
    return std::any_of(series_.begin(), series_.end(),
                       [&](const LabelSet& s) { return s.get(name) == value; });
  }
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override {
    return std::make_shared<const std::vector<LabelSet>>(series_);
  }
  [[nodiscard]] Result<std::shared_ptr<const storage::ProfileColumns>> profiles() const override {
    auto columns = std::make_shared<storage::ProfileColumns>();
    columns->series = series_of_;
    columns->start_ns = start_;
    columns->duration_ns = duration_;
    columns->period = period_;
    columns->rows = row_count_;
    for (const auto& column : totals_) columns->totals.emplace_back(column);
    return columns;
  }
  [[nodiscard]] Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const override {
    return tables_;
  }
  [[nodiscard]] Status add_rows(std::span<const uint32_t> chosen, size_t type,
                                std::span<int64_t> by_key) const override {
    if (damaged_) return fail(ErrorCode::data_loss, "row block 0: checksum differs");
    for (const uint32_t p : chosen) {
      for (const auto& [key, values] : rows_[p]) by_key[key] += values[type];
    }
    return {};
  }
  [[nodiscard]] uint64_t stored_bytes() const override { return 100; }
  [[nodiscard]] Id128 symbols_id() const override { return dictionary_.id(); }

 private:
  storage::DatasetInfo info_;
  symbols::Dictionary dictionary_;
  std::shared_ptr<const symbols::SymbolTables> tables_;
  std::vector<LabelSet> series_;
  std::vector<uint32_t> series_of_, row_count_;
  std::vector<int64_t> start_, duration_, period_;
  std::vector<std::vector<int64_t>> totals_;
  std::vector<std::map<uint32_t, std::vector<int64_t>>> rows_;
  bool damaged_ = false;
};

/// A store that only answers queries: datasets by (tenant, service, family), a new generation of
/// them after each cut().
class DictionaryStore final : public storage::Store {
 public:
  DictionaryDataset& append(const LabelSet& series, const ProfileBatch& batch,
                            const Tenant& tenant = Tenant::anonymous()) {
    Family family;
    for (const auto& t : batch.sample_types) {
      family.types.push_back(
          {std::string(batch.strings[t.type]), std::string(batch.strings[t.unit])});
    }
    family.period = {std::string(batch.strings[batch.period_type.type]),
                     std::string(batch.strings[batch.period_type.unit])};
    const std::string service(series.get(label::kServiceName));
    auto& dataset = current_[{tenant.id(), service, family}];
    if (!dataset) {
      dataset = std::make_shared<DictionaryDataset>(tenant.id(), service, family, Id128{1, ++ids_});
      datasets_.push_back(dataset);
    }
    dataset->append(series, batch);
    return *dataset;
  }
  /// What follows goes to new datasets with new dictionaries, as after a seal.
  void cut() { current_.clear(); }
  /// Datasets come in another order from now on.
  void reverse() { std::reverse(datasets_.begin(), datasets_.end()); }
  std::vector<std::string> partial;

  [[nodiscard]] Result<View> view(const Tenant& tenant, const ViewQuery& query) override {
    View view{{}, partial};
    for (const auto& d : datasets_) {
      const storage::DatasetInfo& info = d->info();
      if (info.tenant == tenant.id() && (!query.service || *query.service == info.service) &&
          info.t_max_ns >= query.t_min_ns && info.t_min_ns <= query.t_max_ns) {
        view.datasets.push_back(d);
      }
    }
    return view;
  }
  [[nodiscard]] Result<storage::AppendOutcome> append(
      const Tenant&, std::span<const storage::AppendProfile>) override {
    return fail(ErrorCode::unimplemented, "append: this store only answers queries");
  }
  [[nodiscard]] Result<uint64_t> seal() override { return 0; }
  [[nodiscard]] Status step() override { return {}; }
  [[nodiscard]] storage::StoreStats stats() const override { return {}; }
  [[nodiscard]] Result<std::optional<std::string>> meta_get(std::string_view, const Tenant&,
                                                            std::string_view) override {
    return std::nullopt;
  }
  [[nodiscard]] Status meta_put(std::string_view, const Tenant&, std::string_view,
                                std::string_view) override {
    return {};
  }
  [[nodiscard]] std::optional<std::string> not_ready_reason() const override {
    return std::nullopt;
  }

 private:
  uint64_t ids_ = 0;
  std::map<std::tuple<std::string, std::string, Family>, std::shared_ptr<DictionaryDataset>>
      current_;
  std::vector<std::shared_ptr<DictionaryDataset>> datasets_;
};

}  // namespace hearth::test
