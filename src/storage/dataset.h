#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "hearth/labels.h"
#include "hearth/profile_type.h"
#include "hearth/tenant.h"
#include "storage/side_data.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {

/// What is known of a dataset without reading its rows: catalog entry and pruning.
struct DatasetInfo {
  std::string tenant;
  std::string service;
  Family family;
  int64_t t_min_ns = 0;  ///< Smallest and largest start time of its profiles, UTC.
  int64_t t_max_ns = 0;
  uint64_t series = 0, profiles = 0, rows = 0, nodes = 0, keys = 0;
  std::vector<int64_t> totals;  ///< Per sample type, saturating.
};

/// Columns over the profiles of a dataset; profile p is index p of each, sorted by (series, start, id) in segments, in order of
/// acceptance in the head. `totals[t][p]` is the sum of profile p's values of sample type t. `ids` may be empty (dropped in L2).
struct ProfileColumns {
  std::shared_ptr<const void> owner;
  std::span<const uint32_t> series;  ///< Index into the dataset's series.
  std::span<const int64_t> start_ns, duration_ns, period;
  std::span<const uint32_t> rows;
  std::span<const Id128> ids;
  std::vector<std::span<const int64_t>> totals;
  /// First profile of each block of rows, ascending: a block is decoded as a whole, so who adds rows in parts cuts here.
  /// Empty: any cut is as good.
  std::span<const uint32_t> row_blocks;
  [[nodiscard]] size_t size() const { return series.size(); }
};

struct Rollup;

/// Profiles that have been added up, or can be: a dataset, or several of one service that share a rollup.
class RollupSource {
 public:
  virtual ~RollupSource() = default;
  [[nodiscard]] virtual const DatasetInfo& info() const = 0;
  /// Stored labels per series: `__name__`, `service_name` and the user's; the labels derived from the sample type
  /// (`__profile_type__`, `__type__`, …) are not stored, the query adds them.
  [[nodiscard]] virtual Result<std::shared_ptr<const std::vector<LabelSet>>> series() const = 0;
  /// True when rollup() gives one; costs nothing.
  [[nodiscard]] virtual bool has_rollup() const { return false; }
  /// The merged rows of the whole window (rollup.h), read and decoded anew by each call; nullptr when there are none.
  [[nodiscard]] virtual Result<std::shared_ptr<const Rollup>> rollup() const;
  /// A process-wide unique, stable identity for caches: for a segment (uuid, dataset); for the head the dictionary's epoch.
  /// Equal identities mean equal symbol ids for ids below the smaller snapshot.
  [[nodiscard]] virtual Id128 symbols_id() const = 0;
  /// series() and rollup() will be read soon: where reading takes long, it begins. Returns at once.
  virtual void prefetch_rollup() const {}
};

/// One rollup of several datasets of a segment: what it says is the sum of what theirs say.
struct Cover {
  const RollupSource* rollup = nullptr;  ///< Lives as long as any of the datasets.
  size_t datasets = 0;
};

/// Rows of consecutive profiles [first_profile, first_profile + rows.size()) of a dataset.
/// Shape:  profile p has rows[p − first_profile] rows, those of p + 1 follow; keys ascend inside a profile; values[t] is as
///         long as key.
struct RowRun {
  uint32_t first_profile = 0;
  std::span<const uint32_t> rows;
  std::span<const uint32_t> key;
  std::vector<std::span<const int64_t>> values;
};

/// One immutable dataset, from the head or from a segment: the unit a query prunes, reads and merges.
/// Every accessor may read and decode (and may fail with `data_loss`); results are cached by the implementation where that
/// pays. Thread-safe.
class Dataset : public RollupSource {
 public:
  /// False when no series of the dataset has `name=value` (bloom); true may be wrong.
  [[nodiscard]] virtual bool may_have_label(std::string_view name, std::string_view value) const = 0;
  [[nodiscard]] virtual Result<std::shared_ptr<const ProfileColumns>> profiles() const = 0;
  [[nodiscard]] virtual Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const = 0;
  /// True when each call of symbols() decodes them anew, so that it pays to keep what it returned;
  /// false when it is a free snapshot of a dictionary, which keeping would only pin.
  [[nodiscard]] virtual bool decodes_symbols() const { return false; }
  /// Adds the values of sample type `type` of the rows of the chosen profiles: by_key[key] += value (saturating).
  /// `chosen` is ascending; by_key.size() == symbols()->keys(). `data_loss` when a row block is damaged: what was added before
  /// stays added, so the caller drops the whole accumulator.
  [[nodiscard]] virtual Status add_rows(std::span<const uint32_t> chosen, size_t type, std::span<int64_t> by_key) const = 0;
  /// True when some row has side data; costs nothing.
  [[nodiscard]] virtual bool has_side() const { return false; }
  /// As add_rows(), but only the shares of the rows whose side data the selector accepts. Adds nothing where there is no side
  /// data, whatever the selector.
  [[nodiscard]] virtual Status add_side_rows(std::span<const uint32_t> chosen, size_t type, const SideSelector& selector,
                                             std::span<int64_t> by_key) const;
  /// All rows in the order of the profiles, in runs of a bounded number of rows (at most 2^20): for compaction. Stops at the first
  /// error of `visit`. `unimplemented` for the head, whose rows are in another form.
  [[nodiscard]] virtual Status visit_rows(const std::function<Status(const RowRun&)>& visit) const;
  /// The rollup that serves in place of the datasets that have the same one, where a query is about all of them whole.
  [[nodiscard]] virtual Cover cover() const { return {}; }
  /// These parts will be read soon: where reading takes long, it begins. Returns at once.
  enum class Part : unsigned char {
    profiles,         ///< series() and profiles().
    rows,             ///< All of it but rollups.
    rows_of_a_range,  ///< The same, but rows of some profiles only: those follow when it is known which.
    rollup,           ///< series() and rollup().
    side,             ///< symbols(), series(), profiles() and side data.
  };
  virtual void prefetch(Part) const {}
  /// Approximate stored bytes that a read of rows and symbols touches, for cost lines and limits.
  [[nodiscard]] virtual uint64_t stored_bytes() const = 0;
};

}  // namespace hearth::storage
