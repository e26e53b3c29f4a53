#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "query/projection.h"
#include "query/recent_entries.h"
#include "storage/dataset.h"
#include "storage/rollup.h"

namespace hearth::query {

/// What a function-granular query needs of a dataset's symbols: its function tree, in canonical
/// order, and which of its nodes each key ends at. A fraction of the symbols themselves, which need
/// not be kept for it.
///
/// Shape:  depth and label have one entry per node, key_node one per key, names one per label,
///         ascending, names[0] = "".
/// Views:  names point into `text`.
struct FunctionProjection {
  std::vector<uint32_t> depth, label, key_node;
  std::vector<std::string_view> names;
  std::string text;

  FunctionProjection() = default;
  FunctionProjection(const FunctionProjection&) = delete;
  FunctionProjection& operator=(const FunctionProjection&) = delete;
  [[nodiscard]] size_t memory_bytes() const;
};
std::shared_ptr<const FunctionProjection> project_functions(const symbols::SymbolTables& tables);

/// A rollup with its tree as a query wants it. Labels index the rollup's names; functions without a
/// name have label 0 here, as everywhere in queries.
struct RollupFunctions {
  std::shared_ptr<const storage::Rollup> rollup;
  std::vector<uint32_t> depth, label;
};

/// The decoded symbols, rollups and profile columns of segments, and the projections of segments
/// and dictionaries to functions, least recently used first out, within a byte budget that is
/// charged to the accountant. Thread-safe.
class SymbolCache {
 public:
  SymbolCache(MemoryAccountant& memory, size_t budget_bytes)
      : memory_(&memory), budget_(budget_bytes) {}

  /// The projection of one dataset; of a dictionary the tables that it covers, too. A dictionary
  /// that has grown since the last query has none: a query that sees it once needs only what it
  /// touches. Both stay valid when the cache drops them.
  struct Functions {
    std::shared_ptr<const FunctionProjection> projection;
    std::shared_ptr<const symbols::SymbolTables> tables;
  };
  /// `data_loss` when the dataset's symbols are damaged, `unavailable` when the memory limit has no
  /// room.
  [[nodiscard]] Result<Functions> functions(const storage::Dataset& dataset);
  /// The tables; likewise.
  [[nodiscard]] Result<std::shared_ptr<const symbols::SymbolTables>> tables(
      const storage::Dataset& dataset);
  /// A rollup, of a source that has one; likewise.
  [[nodiscard]] Result<std::shared_ptr<const RollupFunctions>> rollup(
      const storage::RollupSource& dataset);
  /// The columns of its profiles, which are all that series read. Kept when they are so many that
  /// the dataset itself does not keep them, and there is room.
  [[nodiscard]] Result<std::shared_ptr<const storage::ProfileColumns>> profiles(
      const storage::Dataset& dataset);
  /// Bytes kept now.
  [[nodiscard]] size_t bytes() const { return entries_.bytes(); }

 private:
  /// The parts of a dataset are entries of their own: they are used by different queries.
  enum class Part : uint8_t { tables, functions, rollup, profiles };
  struct Entry {
    std::mutex mutex;  ///< Guards the rest; held while they are made, so that it happens once.
    std::shared_ptr<const symbols::SymbolTables> tables;  ///< Where decoding them costs something.
    std::shared_ptr<const FunctionProjection> projection;
    std::shared_ptr<const RollupFunctions> rollup;
    std::shared_ptr<const storage::ProfileColumns> profiles;
    size_t seen_keys = 0, seen_nodes = 0;  ///< Of a dictionary, at the last query.
    MemoryCharge charge;
  };
  using Key = std::pair<Id128, Part>;
  struct KeyHash {
    size_t operator()(const Key& key) const {
      return key.first.hi ^
             (key.first.lo + static_cast<uint64_t>(key.second)) * 0x9E3779B97F4A7C15U;
    }
  };
  [[nodiscard]] Status load(Entry& entry, const symbols::SymbolTables& tables);
  void account(const Key& key, const std::shared_ptr<Entry>& entry);

  MemoryAccountant* memory_;
  size_t budget_;
  RecentEntries<Key, Entry, KeyHash> entries_;
};

}  // namespace hearth::query
