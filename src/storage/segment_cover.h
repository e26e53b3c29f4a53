#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hearth/object_store.h"
#include "storage/cached_part.h"
#include "storage/dataset.h"
#include "storage/rollup.h"
#include "storage/segment_directory.h"

namespace hearth::storage {

/// Neighbouring datasets of a segment that have the same tenant, service and family.
struct DatasetRun {
  size_t first = 0, count = 0;
};
/// The runs whose last dataset holds a rollup of all of them.
[[nodiscard]] std::vector<DatasetRun> covered_runs(std::span<const DatasetEntry> datasets);

/// The rollup of several datasets of a segment: CROLL, CSTR and CLBL of the last of them. Reads by
/// range when asked. Lives inside its SegmentReader.
class SegmentCover final : public RollupSource {
 public:
  /// `parts` are the datasets of a covered run. Everything borrowed outlives the cover.
  SegmentCover(const ObjectReader& object, std::span<const DatasetEntry> parts, Id128 symbols_id,
               CacheBudget& budget, std::string name);

  [[nodiscard]] const DatasetInfo& info() const override { return info_; }
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override;
  [[nodiscard]] bool has_rollup() const override { return true; }
  [[nodiscard]] Result<std::shared_ptr<const Rollup>> rollup() const override;
  [[nodiscard]] Id128 symbols_id() const override { return symbols_id_; }
  void prefetch_rollup() const override;

  /// Checked and decompressed bytes of one of the three sections.
  [[nodiscard]] Result<std::string> raw_section(SectionKind kind) const;

 private:
  [[nodiscard]] Result<std::shared_ptr<const Rollup>> load_rollup() const;
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> load_series() const;
  [[nodiscard]] tl::unexpected<Error> in_context(Error error) const;

  const ObjectReader& object_;
  const DatasetEntry& last_;
  const Id128 symbols_id_;
  CacheBudget& budget_;
  const std::string name_;
  DatasetInfo info_;
  mutable CachedPart<std::vector<LabelSet>> series_;
};

}  // namespace hearth::storage
