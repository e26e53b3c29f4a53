#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "storage/canonical_dataset.h"
#include "storage/deletion.h"
#include "storage/merge_part.h"
#include "storage/segment_dataset.h"

namespace hearth::storage {

/// How much one merged dataset may hold; beyond it the profiles are split by time.
struct MergeLimits {
  uint64_t rows = 16ULL << 20U;
  uint64_t nodes = 8ULL << 20U;  ///< Before equal nodes become one.
  uint64_t stored_bytes = 128ULL << 20U;
  uint64_t profiles = 1ULL << 20U;
};

/// As many rows take about the memory of an entry of side data.
inline constexpr uint64_t kRowsOfSideEntry = 4;

/// Datasets of one (tenant, service, family) as one: the profiles that start within a window, each
/// once, with everything they refer to. Sorted tables are merged without hashing, stacks through
/// (parent, location) → node, rows renumbered and sorted again; the result depends on the profiles
/// alone, not on how they were spread over the sources.
class DatasetMerge {
 public:
  DatasetMerge();
  ~DatasetMerge();
  DatasetMerge(const DatasetMerge&) = delete;
  DatasetMerge& operator=(const DatasetMerge&) = delete;

  struct Options {
    int64_t begin_ns = INT64_MIN, last_ns = INT64_MAX;  ///< Inclusive range of start times.
    bool keep_ids = true;   ///< Profile ids are kept when every source has them.
    bool keep_side = true;  ///< Side data goes along.
    MergeLimits limits;
    std::vector<const Deletion*> deletions;  ///< Whose profiles are left out.
  };
  /// Reads series and profiles of the sources, which outlive the merge. Profiles with equal ids are
  /// one. An error of reading is that of failed_source().
  [[nodiscard]] Status open(std::vector<const SegmentDataset*> sources, const Options& options);

  /// How many datasets the profiles make; 0 when none starts within the window.
  [[nodiscard]] size_t parts() const { return parts_.size(); }
  /// Reads and merges the symbols and rows of one part, in memory of that part.
  [[nodiscard]] Result<CanonicalDataset> part(size_t index);

  /// Profiles of all parts, and how many more there were that repeated one of them.
  [[nodiscard]] uint64_t profiles() const;
  [[nodiscard]] uint64_t duplicates() const { return duplicates_; }
  /// Of those that start within the window.
  [[nodiscard]] uint64_t deleted() const { return deleted_; }
  /// Index of the source whose reading failed last.
  [[nodiscard]] size_t failed_source() const { return failed_source_; }

 private:
  struct Source;
  struct Pick;
  [[nodiscard]] Status read_sources(const std::vector<const SegmentDataset*>& sources);
  [[nodiscard]] std::vector<uint8_t> deleted_of(const Source& source,
                                                std::span<const Deletion* const> deletions) const;
  void pick_profiles(const Options& options);
  void drop_duplicates();
  void split(const MergeLimits& limits);
  [[nodiscard]] MergePart describe(std::span<const Pick> picks,
                                   std::vector<size_t>& source_of) const;

  std::vector<Source> sources_;
  std::vector<LabelSet> series_;  ///< Of all sources, sorted.
  std::vector<Pick> picks_;       ///< By part, inside a part in the order of the output.
  std::vector<size_t> parts_;     ///< Where each part begins in picks_.
  bool ids_ = true, side_ = true;
  uint64_t duplicates_ = 0, deleted_ = 0;
  size_t failed_source_ = 0;
};

}  // namespace hearth::storage
