#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "query/engine.h"
#include "query/recent_entries.h"

namespace hearth::query {

/// Merged trees by what they were merged from: the page asks for the tree, the table and the
/// callers of one query one after the other, or at once. Least recently used first out, within a
/// byte budget that is charged to the accountant. Thread-safe.
class MergeCache {
 public:
  using Merged = Engine::PlacedTreeResult;
  using Make = std::function<Result<Merged>()>;

  MergeCache(MemoryAccountant& memory, size_t budget_bytes)
      : memory_(&memory), budget_(budget_bytes) {}

  /// What `make` gave for this key, or gives now; who asks meanwhile waits for it. Errors and
  /// partial answers are not kept, nor what does not fit.
  [[nodiscard]] Result<std::shared_ptr<const Merged>> get(const std::string& key, const Make& make);
  /// Bytes kept now.
  [[nodiscard]] size_t bytes() const { return entries_.bytes(); }

 private:
  struct Entry {
    std::mutex mutex;  ///< Held while the tree is made, so that it happens once.
    std::shared_ptr<const Merged> merged;
    MemoryCharge charge;
  };
  void keep(Entry& entry, const std::shared_ptr<const Merged>& merged);

  MemoryAccountant* memory_;
  const size_t budget_;
  RecentEntries<std::string, Entry> entries_;
};

/// The key of a query on what the store holds now: another one as soon as a profile is added.
[[nodiscard]] Result<std::string> merge_key(storage::Store& store, const ProfileQuery& query,
                                            const CancelToken& token);

}  // namespace hearth::query
