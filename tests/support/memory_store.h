#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/store.h"
#include "support/column_dataset.h"
#include "symbols/dictionary.h"

namespace hearth::test {

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
      if (in_view(dataset->info(), tenant, query)) view.datasets.push_back(snapshot(*dataset));
    }
    return view;
  }

  [[nodiscard]] Result<uint64_t> seal() override { return 0; }
  [[nodiscard]] Status step() override { return {}; }
  [[nodiscard]] Result<storage::CompactOutcome> compact(bool force, const CancelToken&) override {
    return storage::CompactOutcome{.jobs = force ? 2U : 1U};
  }
  [[nodiscard]] storage::DeletionLog* deletions() override { return deletions_; }
  void set_deletions(storage::DeletionLog* log) { deletions_ = log; }
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
      out.insert(dataset->label_sets().begin(), dataset->label_sets().end());
    return {out.begin(), out.end()};
  }

 private:
  storage::DeletionLog* deletions_ = nullptr;
  using DatasetKey = std::tuple<std::string, std::string, Family>;  // Tenant, service, family.
  using MetaKey = std::tuple<std::string, std::string, std::string>;

  static MetaKey meta_key(std::string_view kind, const Tenant& tenant, std::string_view name) {
    return {std::string(kind), tenant.id(), std::string(name)};
  }
  symbols::Dictionary& dictionary(const std::string& tenant, const std::string& service) {
    auto& slot = dictionaries_[{tenant, service}];
    if (!slot) slot = std::make_unique<symbols::Dictionary>(Id128{1, dictionaries_.size()}, 1);
    return *slot;
  }
  void add(const Tenant& tenant, const storage::AppendProfile& profile) {
    const ProfileBatch& batch = *profile.batch;
    const std::string service(profile.series->get(label::kServiceName));
    const Family family = family_of(batch);
    std::vector<uint32_t> keys;
    dictionary(tenant.id(), service).map(batch, keys);
    auto& dataset = datasets_[{tenant.id(), service, family}];
    if (!dataset) dataset = std::make_shared<ColumnDataset>(tenant.id(), service, family);
    dataset->append(*profile.series, batch, profile.samples, keys,
                    profile.id.value_or(Id128{0, ++next_id_}));
  }
  std::shared_ptr<const storage::Dataset> snapshot(const ColumnDataset& dataset) {
    auto out = std::make_shared<ColumnDataset>(dataset);
    out->use(dictionary(dataset.info().tenant, dataset.info().service));
    return out;
  }

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::unique_ptr<symbols::Dictionary>> dictionaries_;
  std::map<DatasetKey, std::shared_ptr<ColumnDataset>> datasets_;
  std::map<std::string, std::set<Id128>> ids_;
  std::map<MetaKey, std::string> meta_;
  std::optional<Error> refuse_;
  uint64_t next_id_ = 0;
};

}  // namespace hearth::test
