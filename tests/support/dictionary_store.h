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
#include "support/column_dataset.h"
#include "symbols/dictionary.h"

namespace hearth::test {

/// A dataset with a dictionary of its own: what a query reads, without any storage.
class DictionaryDataset final : public ColumnDataset {
 public:
  DictionaryDataset(std::string tenant, std::string service, Family family, Id128 id)
      : ColumnDataset(std::move(tenant), std::move(service), std::move(family)),
        dictionary_(id, 7) {}

  /// Damages it: every later read of rows answers `data_loss`.
  void damage() { damaged_ = true; }

  void append(const LabelSet& series, const ProfileBatch& batch) {
    std::vector<uint32_t> keys;
    dictionary_.map(batch, keys);
    std::vector<uint32_t> samples(batch.samples.size());
    std::iota(samples.begin(), samples.end(), 0U);
    ColumnDataset::append(series, batch, samples, keys, Id128{7, info().profiles});
    use(dictionary_);
  }
  [[nodiscard]] Status add_rows(std::span<const uint32_t> chosen, size_t type,
                                std::span<int64_t> by_key) const override {
    if (damaged_) return fail(ErrorCode::data_loss, "row block 0: checksum differs");
    return ColumnDataset::add_rows(chosen, type, by_key);
  }

 private:
  symbols::Dictionary dictionary_;
  bool damaged_ = false;
};

/// A store that only answers queries.
class QueryOnlyStore : public storage::Store {
 public:
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

 protected:
  /// Those of `datasets` that a view of the tenant shows.
  template <class Datasets>
  static std::vector<std::shared_ptr<const storage::Dataset>> shown(const Datasets& datasets,
                                                                    const Tenant& tenant,
                                                                    const ViewQuery& query) {
    std::vector<std::shared_ptr<const storage::Dataset>> out;
    for (const auto& d : datasets) {
      if (in_view(d->info(), tenant, query)) out.push_back(d);
    }
    return out;
  }
};

/// Datasets by (tenant, service, family), a new generation of
/// them after each cut().
class DictionaryStore final : public QueryOnlyStore {
 public:
  DictionaryDataset& append(const LabelSet& series, const ProfileBatch& batch,
                            const Tenant& tenant = Tenant::anonymous()) {
    const Family family = family_of(batch);
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

  using QueryOnlyStore::append;
  [[nodiscard]] Result<View> view(const Tenant& tenant, const ViewQuery& query) override {
    return View{shown(datasets_, tenant, query), partial};
  }

 private:
  uint64_t ids_ = 0;
  std::map<std::tuple<std::string, std::string, Family>, std::shared_ptr<DictionaryDataset>>
      current_;
  std::vector<std::shared_ptr<DictionaryDataset>> datasets_;
};

}  // namespace hearth::test
