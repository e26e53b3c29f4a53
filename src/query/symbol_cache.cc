#include "query/symbol_cache.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace hearth::query {

// Per location node: what it projects to, and at most about one function node with its slot in a
// half full table.
constexpr size_t kBytesPerNode = 4 + 8 + 4 * 12;

namespace {

template <class... Spans>
size_t bytes_of(const Spans&... spans) {
  return (spans.size_bytes() + ...);
}

size_t memory_bytes(const symbols::SymbolTables& t) {
  size_t text = 0;
  for (const std::string_view s : t.strings) text += s.size();
  return text + bytes_of(t.strings, t.function_name, t.function_system_name, t.function_file,
                         t.function_start_line, t.mapping_start, t.mapping_limit, t.mapping_offset,
                         t.mapping_file, t.mapping_build_id, t.location_mapping, t.location_address,
                         t.location_folded, t.line_begin, t.line_function, t.line_number,
                         t.line_column, t.node_parent, t.node_location, t.key_node, t.key_labels,
                         t.label_begin, t.label_key, t.label_str, t.label_unit, t.label_num);
}

}  // namespace

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

// Charges before it works: the projection cannot take more than the estimate.
Status SymbolCache::load(Entry& entry, const storage::Dataset& dataset, Lease& lease) {
  Projection& projection = entry.projection;
  if (lease.tables_ == nullptr) lease.tables_ = entry.tables;  // Somebody else was faster.
  if (lease.tables_ == nullptr) {
    HEARTH_ASSIGN_OR_RETURN(lease.tables_, dataset.symbols());
    entry.tables = lease.tables_;
  }
  const symbols::SymbolTables& tables = *lease.tables_;
  const size_t kept = entry.tables == nullptr ? 0 : memory_bytes(tables);
  const size_t nodes = tables.nodes() - std::min(tables.nodes(), projection.covered());
  const size_t estimate = kept + projection.memory_bytes() + nodes * kBytesPerNode +
                          tables.strings.size() * sizeof(uint32_t);
  if (entry.charge.bytes() == 0) {
    HEARTH_ASSIGN_OR_RETURN(entry.charge, memory_->charge(estimate, "symbols of a query"));
  } else {
    HEARTH_RETURN_IF_ERROR(entry.charge.resize(estimate));
  }
  if (nodes > 0 || projection.covered() == 0) {
    projection.extend(tables);
    if (dataset.decodes_symbols()) projection.settle(tables);
  }
  return entry.charge.resize(kept + projection.memory_bytes());
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

// Under the entry's lock: true when the lease can be used as it is.
bool SymbolCache::complete(Lease& lease) {
  if (lease.tables_ == nullptr) lease.tables_ = lease.entry_->tables;
  const size_t covered = lease.projection().covered();
  return lease.tables_ != nullptr && covered > 0 && covered >= lease.tables_->nodes();
}

Result<SymbolCache::Lease> SymbolCache::get(const storage::Dataset& dataset) {
  Lease lease;
  if (!dataset.decodes_symbols()) {
    HEARTH_ASSIGN_OR_RETURN(lease.tables_, dataset.symbols());
  }
  const Id128 id = dataset.symbols_id();
  lease.entry_ = find_or_add(id);
  lease.lock_ = std::shared_lock(lease.entry_->mutex);
  if (complete(lease)) return lease;
  lease.lock_.unlock();
  {
    const std::unique_lock alone(lease.entry_->mutex);
    HEARTH_RETURN_IF_ERROR(load(*lease.entry_, dataset, lease));
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
