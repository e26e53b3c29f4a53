#include "query/symbol_cache.h"

#include <utility>

namespace hearth::query {

// Per location node: what it projects to, and at most about one function node with its slot in a
// half full table.
constexpr size_t kBytesPerNode = 4 + 8 + 4 * 12;

std::shared_ptr<SymbolCache::Entry> SymbolCache::find_or_add(const Id128& id) {
  const std::lock_guard lock(mutex_);
  if (const auto it = by_id_.find(id); it != by_id_.end()) {
    recent_.splice(recent_.begin(), recent_, it->second);
    return it->second->entry;
  }
  recent_.push_front({id, std::make_shared<Entry>(), 0});
  by_id_.emplace(id, recent_.begin());
  return recent_.front().entry;
}

Status SymbolCache::extend(Entry& entry, const symbols::SymbolTables& tables) {
  Projection& projection = entry.projection;
  if (projection.covered() >= tables.nodes()) return {};
  const size_t estimate = projection.memory_bytes() +
                          (tables.nodes() - projection.covered()) * kBytesPerNode +
                          tables.strings.size() * sizeof(uint32_t);
  if (entry.charge.bytes() == 0) {
    HEARTH_ASSIGN_OR_RETURN(entry.charge, memory_->charge(estimate, "a projection of symbols"));
  } else {
    HEARTH_RETURN_IF_ERROR(entry.charge.resize(estimate));
  }
  projection.extend(tables);
  return entry.charge.resize(projection.memory_bytes());
}

// Notes what the entry takes now and drops the least recently used ones; readers of a dropped entry
// keep it alive.
void SymbolCache::account(const Id128& id, const std::shared_ptr<Entry>& entry) {
  const std::lock_guard lock(mutex_);
  const auto it = by_id_.find(id);
  if (it != by_id_.end() && it->second->entry == entry) {
    bytes_ += entry->charge.bytes() - it->second->bytes;
    it->second->bytes = entry->charge.bytes();
  }
  const size_t budget = memory_->should_shed() ? 0 : budget_;
  while (bytes_ > budget && !recent_.empty()) {
    bytes_ -= recent_.back().bytes;
    by_id_.erase(recent_.back().id);
    recent_.pop_back();
  }
}

Result<SymbolCache::Lease> SymbolCache::get(const storage::Dataset& dataset) {
  Lease lease;
  HEARTH_ASSIGN_OR_RETURN(lease.tables_, dataset.symbols());
  const Id128 id = dataset.symbols_id();
  lease.entry_ = find_or_add(id);
  lease.lock_ = std::shared_lock(lease.entry_->mutex);
  if (lease.projection().covered() >= lease.tables_->nodes() && lease.projection().covered() > 0)
    return lease;
  lease.lock_.unlock();
  {
    const std::unique_lock alone(lease.entry_->mutex);
    HEARTH_RETURN_IF_ERROR(extend(*lease.entry_, *lease.tables_));
    account(id, lease.entry_);
  }
  lease.lock_.lock();
  return lease;
}

size_t SymbolCache::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace hearth::query
