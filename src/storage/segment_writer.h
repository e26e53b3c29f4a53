#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/labels.h"
#include "hearth/profile_type.h"
#include "storage/side_data.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {

class SymbolOrder;

/// Everything of one dataset, in any numbering and order; the writer renumbers to the canonical
/// form of docs/segment_format.md.
///
/// Shape:  profile p has the rows [row_begin[p], row_begin[p + 1]); row r has the key row_key[r]
///         (an id of `symbols`) and the values row_value[r * T + t] for the T sample types of the family. Inside a profile keys
///         are unique, in any order. Entries of `symbols` and `series` that no row or profile uses
///         are left out of the segment.
struct DatasetInput {
  std::string tenant;
  std::string service;
  Family family;
  std::vector<LabelSet> series;
  std::shared_ptr<const symbols::SymbolTables> symbols;
  const SymbolOrder* order = nullptr;  ///< Of all of `symbols`, where it is known.
  std::vector<uint32_t> profile_series;
  std::vector<int64_t> profile_start_ns, profile_duration_ns, profile_period;
  std::vector<Id128> profile_id;
  std::vector<uint32_t> row_begin;
  std::vector<uint32_t> row_key;
  std::vector<int64_t> row_value;
  /// Of no profile or of all of them; in any order, equal entries are added up. A key has a row in
  /// its profile.
  SideTable side;
};

struct CanonicalDataset;

/// Writes one segment (docs/segment_format.md) in one pass, dataset after dataset, in memory of one
/// dataset at a time. The bytes go to `sink` in order. Any error of the sink ends the segment.
class SegmentWriter {
 public:
  struct Options {
    std::string object_key;  ///< Own key, stored in the directory: a swapped object is noticed.
    Id128 uuid;              ///< The commit nonce.
    uint8_t level = 0;
    int64_t window_start_ns = 0;
    uint64_t window_length_ns = 0;
    std::string writer_version;
    /// Whether datasets get a rollup (rollup.h): for hours and days.
    bool rollup = false;
    /// Labels whose values get a rollup group each, beside the one of all series; at most 3. A label with more than 64 values
    /// in a dataset gets none.
    std::vector<std::string> rollup_labels;
  };
  using Sink = std::function<Status(std::string_view)>;
  SegmentWriter(Options options, Sink sink);
  ~SegmentWriter();
  /// Datasets come sorted by (tenant, service, family); several with equal keys may follow each other.
  [[nodiscard]] Status add(const DatasetInput& dataset);
  /// A dataset that is in canonical form already.
  [[nodiscard]] Status add(const std::string& tenant, const std::string& service, const Family& family,
                           const CanonicalDataset& dataset);
  /// What add() gets until close_cover() are datasets with equal keys, all of the segment that have
  /// that key: beside their own rollups they get one of all of them (cover_builder.h), unless its
  /// tree passes `nodes_max`. For segments with rollups.
  void open_cover(size_t nodes_max);
  [[nodiscard]] Status close_cover();
  /// Writes directory and tail.
  [[nodiscard]] Status finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hearth::storage
