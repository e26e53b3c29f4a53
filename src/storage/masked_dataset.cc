#include "storage/masked_dataset.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/saturate.h"

namespace hearth::storage {
namespace {

using DeletionPointers = std::vector<const Deletion*>;

class MaskedDataset final : public Dataset {
 public:
  /// `columns`: the base's.
  MaskedDataset(std::shared_ptr<const Dataset> base, std::shared_ptr<const ProfileColumns> columns,
                const DeletedProfiles& deleted, const DeletionPointers& deletions,
                MemoryCharge charge)
      : base_(std::move(base)),
        info_(base_->info()),
        symbols_id_(identity(*base_, deletions)),
        charge_(std::move(charge)) {
    const auto hidden = std::make_shared<const Hidden>(std::move(columns), deleted);
    auto masked = std::make_shared<ProfileColumns>(*hidden->base);
    masked->owner = hidden;
    for (size_t t = 0; t < masked->totals.size(); ++t) masked->totals[t] = hidden->totals[t];
    summarise(*masked, deleted);
    profiles_ = std::move(masked);
  }

  const DatasetInfo& info() const override { return info_; }
  bool may_have_label(std::string_view name, std::string_view value) const override {
    return base_->may_have_label(name, value);
  }
  Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override {
    return base_->series();
  }
  /// Queries pass over profiles without a total.
  Result<std::shared_ptr<const ProfileColumns>> profiles() const override { return profiles_; }
  Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const override {
    return base_->symbols();
  }
  bool decodes_symbols() const override { return base_->decodes_symbols(); }
  Status add_rows(std::span<const uint32_t> chosen, size_t type,
                  std::span<int64_t> by_key) const override {
    return base_->add_rows(chosen, type, by_key);
  }
  bool has_side() const override { return base_->has_side(); }
  Status add_side_rows(std::span<const uint32_t> chosen, size_t type, const SideSelector& selector,
                       std::span<int64_t> by_key) const override {
    return base_->add_side_rows(chosen, type, selector, by_key);
  }
  void prefetch(Part part) const override { base_->prefetch(part); }
  uint64_t stored_bytes() const override { return base_->stored_bytes(); }
  Id128 symbols_id() const override { return symbols_id_; }

 private:
  /// Another one than the base's, so that no answer that is kept for the one is given for the
  /// other.
  static Id128 identity(const Dataset& base, const DeletionPointers& deletions) {
    std::string text;
    put_be(text, base.symbols_id().hi);
    put_be(text, base.symbols_id().lo);
    for (const Deletion* d : deletions) {
      put_be(text, d->id.hi);
      put_be(text, d->id.lo);
    }
    return hash128(text);
  }

  /// What the columns that are shown point into.
  struct Hidden {
    Hidden(std::shared_ptr<const ProfileColumns> columns, const DeletedProfiles& deleted)
        : base(std::move(columns)) {
      for (const std::span<const int64_t> of_type : base->totals) {
        std::vector<int64_t>& masked = totals.emplace_back(of_type.begin(), of_type.end());
        for (size_t p = 0; p < masked.size(); ++p) {
          if (deleted.flags[p] != 0) masked[p] = 0;
        }
      }
    }
    const std::shared_ptr<const ProfileColumns> base;
    std::vector<std::vector<int64_t>> totals;  ///< By sample type.
  };

  void summarise(const ProfileColumns& columns, const DeletedProfiles& deleted) {
    info_.t_min_ns = INT64_MAX;
    info_.t_max_ns = INT64_MIN;
    info_.profiles -= deleted.count;
    info_.totals.assign(columns.totals.size(), 0);
    for (size_t p = 0; p < columns.size(); ++p) {
      if (deleted.flags[p] != 0) {
        info_.rows -= columns.rows[p];
        continue;
      }
      info_.t_min_ns = std::min(info_.t_min_ns, columns.start_ns[p]);
      info_.t_max_ns = std::max(info_.t_max_ns, columns.start_ns[p]);
      for (size_t t = 0; t < info_.totals.size(); ++t)
        info_.totals[t] = add_saturating(info_.totals[t], columns.totals[t][p]);
    }
  }

  const std::shared_ptr<const Dataset> base_;
  DatasetInfo info_;
  const Id128 symbols_id_;
  std::shared_ptr<const ProfileColumns> profiles_;
  const MemoryCharge charge_;
};

// What a masked dataset keeps: the columns of its base, and totals of its own.
size_t masked_bytes(const ProfileColumns& c) {
  size_t totals = 0;
  for (const auto& column : c.totals) totals += column.size_bytes();
  return 2 * totals + c.series.size_bytes() + c.start_ns.size_bytes() + c.duration_ns.size_bytes() +
         c.period.size_bytes() + c.rows.size_bytes() + c.ids.size_bytes();
}

bool is_covered(const Dataset& dataset, const DeletionPointers& deletions) {
  return std::ranges::any_of(deletions,
                             [&](const Deletion* d) { return d->covers(dataset.info()); });
}

DeletionPointers candidates(const Dataset& dataset, std::span<const Deletion> deletions,
                            const DeletionLog* log) {
  const DatasetInfo& info = dataset.info();
  DeletionPointers out =
      touching(deletions, info.tenant, info.service, info.t_min_ns, info.t_max_ns);
  if (log != nullptr) {
    std::erase_if(out,
                  [&](const Deletion* d) { return log->is_clean(dataset.symbols_id(), d->id); });
  }
  return out;
}

}  // namespace

Result<std::vector<const Deletion*>> deletions_of(const Dataset& dataset,
                                                  std::span<const Deletion> deletions,
                                                  DeletionLog& log) {
  DeletionPointers out;
  for (const Deletion* d : candidates(dataset, deletions, &log)) {
    if (!d->covers(dataset.info())) {
      HEARTH_ASSIGN_OR_RETURN(const DeletedProfiles deleted,
                              find_deleted(std::span(&d, 1), dataset));
      if (deleted.count == 0) {
        log.note_clean(dataset.symbols_id(), d->id);
        continue;
      }
    }
    out.push_back(d);
  }
  return out;
}

Result<std::shared_ptr<const Dataset>> without_deleted(std::shared_ptr<const Dataset> dataset,
                                                       std::span<const Deletion> deletions,
                                                       DeletionLog* log, MemoryAccountant& memory) {
  DeletionPointers found = candidates(*dataset, deletions, log);
  if (found.empty()) return dataset;
  if (is_covered(*dataset, found)) return nullptr;
  if (log != nullptr) {
    HEARTH_ASSIGN_OR_RETURN(found, deletions_of(*dataset, deletions, *log));
    if (found.empty()) return dataset;
  }
  HEARTH_ASSIGN_OR_RETURN(auto columns, dataset->profiles());
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset->series());
  const DeletedProfiles deleted = find_deleted(found, *series, columns->series, columns->start_ns);
  if (deleted.count == 0) return dataset;
  if (deleted.count == columns->size()) return nullptr;
  HEARTH_ASSIGN_OR_RETURN(MemoryCharge charge,
                          memory.charge(masked_bytes(*columns), "profiles beside deleted ones"));
  return std::make_shared<const MaskedDataset>(std::move(dataset), std::move(columns), deleted,
                                               found, std::move(charge));
}

void prefetch_for_deletions(const Dataset& dataset, std::span<const Deletion> deletions,
                            const DeletionLog& log) {
  const DeletionPointers found = candidates(dataset, deletions, &log);
  if (!found.empty() && !is_covered(dataset, found)) dataset.prefetch(Dataset::Part::profiles);
}

}  // namespace hearth::storage
