#include "query/merge_cache.h"

#include <utility>

#include "base/bytes.h"
#include "query/scan.h"

namespace hearth::query {
namespace {

constexpr size_t kEntriesMax = 64;

size_t memory_bytes(const Engine::PlacedTreeResult& merged) {
  const FunctionTree& tree = merged.tree;
  size_t bytes =
      (tree.parent.capacity() + tree.depth.capacity() + tree.name.capacity()) * sizeof(uint32_t) +
      (tree.self.capacity() + tree.total.capacity()) * sizeof(int64_t);
  for (const std::string& name : tree.names) bytes += sizeof name + name.capacity();
  for (const Place& place : merged.places)
    bytes += sizeof place + place.file.capacity() + place.binary.capacity();
  return bytes;
}

void put_query(const ProfileQuery& query, std::string& out) {
  put_str(out, query.tenant.id());
  put_str(out, query.type.id());
  put_le(out, query.range.start_ns);
  put_le(out, query.range.end_ns);
  put_varint(out, query.selector.matchers().size());
  for (const Matcher& m : query.selector.matchers()) {
    put_str(out, m.name());
    out.push_back(static_cast<char>(m.op()));
    put_str(out, m.value());
  }
  put_varint(out, query.call_site.size());
  for (const std::string& frame : query.call_site) put_str(out, frame);
  put_varint(out, query.side.spans.size());
  for (const uint64_t span : query.side.spans) put_le(out, span);
  for (const Id128& trace : query.side.traces) {
    put_le(out, trace.hi);
    put_le(out, trace.lo);
  }
}

}  // namespace

// Under the entry's mutex.
void MergeCache::keep(Entry& entry, const std::shared_ptr<const Merged>& merged) {
  const size_t bytes = memory_bytes(*merged);
  if (bytes > budget_ || memory_->should_shed()) return;
  auto charge = memory_->charge(bytes, "a merged tree that is kept");
  if (!charge) return;
  entry.charge = std::move(*charge);
  entry.merged = merged;
}

Result<std::shared_ptr<const MergeCache::Merged>> MergeCache::get(const std::string& key,
                                                                  const Make& make) {
  const auto entry = entries_.find_or_add(key);
  const std::lock_guard lock(entry->mutex);
  if (entry->merged != nullptr) return entry->merged;
  HEARTH_ASSIGN_OR_RETURN(Merged made, make());
  auto merged = std::make_shared<const Merged>(std::move(made));
  if (merged->cost.partial.empty()) keep(*entry, merged);
  entries_.account(key, entry, entry->charge.bytes(), budget_, kEntriesMax);
  return merged;
}

Result<std::string> merge_key(storage::Store& store, const ProfileQuery& query,
                              const CancelToken& token) {
  std::string key;
  put_query(query, key);
  Cost cost;
  const auto add = [&key](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
    const storage::DatasetInfo& info = dataset->info();
    put_le(key, dataset->symbols_id().hi);
    put_le(key, dataset->symbols_id().lo);
    // A dictionary keeps its identity while profiles come.
    put_varint(key, info.profiles);
    put_varint(key, info.rows);
    put_le(key, info.t_max_ns);
    for (const int64_t total : info.totals) put_svarint(key, total);
    return {};
  };
  HEARTH_RETURN_IF_ERROR(
      scan(store, query.tenant, query.selector, query.range, token, &cost, add, std::nullopt));
  return key;
}

}  // namespace hearth::query
