#include "query/symbol_cache.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace hearth::query {
namespace {

/// A segment's reader keeps 1 MiB of decoded columns itself; they take some 64 bytes a profile.
constexpr uint64_t kManyProfiles = 16'384;

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

size_t memory_bytes(const storage::ProfileColumns& c) {
  size_t totals = 0;
  for (const auto& column : c.totals) totals += column.size_bytes();
  return totals + bytes_of(c.series, c.start_ns, c.duration_ns, c.period, c.rows, c.ids);
}

Status change(MemoryCharge& charge, size_t bytes, MemoryAccountant& memory) {
  if (charge.bytes() != 0) return charge.resize(bytes);
  HEARTH_ASSIGN_OR_RETURN(charge, memory.charge(bytes, "symbols of a query"));
  return {};
}

}  // namespace

size_t FunctionProjection::memory_bytes() const {
  return (depth.capacity() + label.capacity() + key_node.capacity()) * sizeof(uint32_t) +
         names.capacity() * sizeof(std::string_view) + text.capacity();
}

std::shared_ptr<const FunctionProjection> project_functions(const symbols::SymbolTables& tables) {
  const FrameLabels frames = function_frames(tables);
  Projection made = project(tables, frames, {});
  auto out = std::make_shared<FunctionProjection>();
  out->depth = std::move(made.depth);
  out->label = std::move(made.label);
  out->depth.shrink_to_fit();
  out->label.shrink_to_fit();
  out->key_node.reserve(tables.keys());
  for (const uint32_t node : tables.key_node) out->key_node.push_back(made.node[node]);
  size_t bytes = 0;
  for (const std::string_view text : frames.texts) bytes += text.size();
  out->text.reserve(bytes);
  out->names.reserve(frames.texts.size());
  for (const std::string_view text : frames.texts) {
    out->names.emplace_back(out->text.data() + out->text.size(), text.size());
    out->text += text;
  }
  return out;
}

// Charges before it works: a projection cannot take more than the estimate.
Status SymbolCache::load(Entry& entry, const symbols::SymbolTables& tables) {
  const size_t estimate = (tables.nodes() + tables.line_function.size()) * kProjectionBytesPerNode +
                          (tables.keys() + tables.strings.size()) * sizeof(uint32_t);
  HEARTH_RETURN_IF_ERROR(change(entry.charge, estimate, *memory_));
  entry.projection = project_functions(tables);
  return entry.charge.resize(entry.projection->memory_bytes());
}

// When memory is short, nothing is kept.
void SymbolCache::account(const Key& key, const std::shared_ptr<Entry>& entry) {
  const size_t budget = memory_->should_shed() ? 0 : budget_;
  entries_.account(key, entry, entry->charge.bytes(), budget, SIZE_MAX);
}

Result<SymbolCache::Functions> SymbolCache::functions(const storage::Dataset& dataset) {
  Functions out;
  const bool decodes = dataset.decodes_symbols();
  if (!decodes) {
    HEARTH_ASSIGN_OR_RETURN(out.tables, dataset.symbols());
  }
  const Key key{dataset.symbols_id(), Part::functions};
  const auto entry = entries_.find_or_add(key);
  const std::lock_guard lock(entry->mutex);
  if (decodes) {
    // Decoded for the projection only, unless another query has them.
    if (entry->projection == nullptr) {
      HEARTH_ASSIGN_OR_RETURN(const auto tables, dataset.symbols());
      HEARTH_RETURN_IF_ERROR(load(*entry, *tables));
    }
  } else if (const size_t keys = out.tables->keys(), nodes = out.tables->nodes();
             entry->seen_keys != keys || entry->seen_nodes != nodes) {
    entry->seen_keys = keys;
    entry->seen_nodes = nodes;
    entry->projection = nullptr;
    HEARTH_RETURN_IF_ERROR(entry->charge.resize(0));
  } else if (entry->projection == nullptr) {
    HEARTH_RETURN_IF_ERROR(load(*entry, *out.tables));
  }
  out.projection = entry->projection;
  account(key, entry);
  return out;
}

Result<std::shared_ptr<const symbols::SymbolTables>> SymbolCache::tables(
    const storage::Dataset& dataset) {
  if (!dataset.decodes_symbols()) return dataset.symbols();
  const Key key{dataset.symbols_id(), Part::tables};
  const auto entry = entries_.find_or_add(key);
  const std::lock_guard lock(entry->mutex);
  if (entry->tables == nullptr) {
    HEARTH_ASSIGN_OR_RETURN(entry->tables, dataset.symbols());
    if (const Status fits = change(entry->charge, memory_bytes(*entry->tables), *memory_); !fits) {
      entry->tables = nullptr;
      return tl::unexpected(fits.error());
    }
  }
  account(key, entry);
  return entry->tables;
}

Result<std::shared_ptr<const RollupFunctions>> SymbolCache::rollup(
    const storage::RollupSource& dataset) {
  const Key key{dataset.symbols_id(), Part::rollup};
  const auto entry = entries_.find_or_add(key);
  const std::lock_guard lock(entry->mutex);
  if (entry->rollup == nullptr) {
    HEARTH_ASSIGN_OR_RETURN(auto rollup, dataset.rollup());
    if (rollup == nullptr) return fail(ErrorCode::internal, "read rollup: the dataset has none");
    const size_t nodes = rollup->nodes();
    HEARTH_RETURN_IF_ERROR(
        change(entry->charge, rollup->memory_bytes() + nodes * 2 * sizeof(uint32_t), *memory_));
    auto made = std::make_shared<RollupFunctions>();
    made->depth.resize(nodes, 0);
    made->label.resize(nodes, 0);
    for (size_t i = 1; i < nodes; ++i) {
      made->depth[i] = made->depth[rollup->node_parent[i]] + 1;
      const uint32_t name = rollup->node_name[i];
      made->label[i] = rollup->names[name].empty() ? 0 : name;
    }
    made->rollup = std::move(rollup);
    entry->rollup = std::move(made);
  }
  account(key, entry);
  return entry->rollup;
}

Result<std::shared_ptr<const storage::ProfileColumns>> SymbolCache::profiles(
    const storage::Dataset& dataset) {
  if (!dataset.decodes_symbols() || dataset.info().profiles < kManyProfiles)
    return dataset.profiles();
  const Key key{dataset.symbols_id(), Part::profiles};
  const auto entry = entries_.find_or_add(key);
  const std::lock_guard lock(entry->mutex);
  if (entry->profiles == nullptr) {
    HEARTH_ASSIGN_OR_RETURN(auto profiles, dataset.profiles());
    // Without room they serve this query only.
    if (!change(entry->charge, memory_bytes(*profiles), *memory_)) return profiles;
    entry->profiles = std::move(profiles);
  }
  account(key, entry);
  return entry->profiles;
}

}  // namespace hearth::query
