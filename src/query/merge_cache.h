#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "query/engine.h"

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
  [[nodiscard]] size_t bytes() const;

 private:
  struct Entry {
    std::mutex mutex;  ///< Held while the tree is made, so that it happens once.
    std::shared_ptr<const Merged> merged;
    MemoryCharge charge;
  };
  struct Slot {
    std::string key;
    std::shared_ptr<Entry> entry;
    size_t bytes = 0;
  };
  std::shared_ptr<Entry> find_or_add(const std::string& key);
  void keep(const std::string& key, const std::shared_ptr<Entry>& entry,
            const std::shared_ptr<const Merged>& merged);
  void trim(size_t budget);

  MemoryAccountant* memory_;
  const size_t budget_;
  mutable std::mutex mutex_;
  size_t bytes_ = 0;
  std::list<Slot> recent_;  ///< Most recently used first.
  std::unordered_map<std::string, std::list<Slot>::iterator> by_key_;
};

/// The key of a query on what the store holds now: another one as soon as a profile is added.
[[nodiscard]] Result<std::string> merge_key(storage::Store& store, const ProfileQuery& query,
                                            const CancelToken& token);

}  // namespace hearth::query
