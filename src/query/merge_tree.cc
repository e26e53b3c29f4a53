#include <optional>

#include "base/saturate.h"
#include "query/engine_impl.h"
#include "query/place_finder.h"
#include "query/rollup_tree.h"
#include "query/scan.h"
#include "query/sorted_tree.h"

namespace hearth::query {
namespace {

// Sums by key, by node of a projection that covers all of them.
Result<SortedTree> covered_tree(const FunctionProjection& functions,
                                std::span<const int64_t> by_key, ScratchPool& pool) {
  HEARTH_ASSIGN_OR_RETURN(auto column, pool.borrow(functions.depth.size()));
  const std::span<int64_t> self = column.values();
  for (size_t key = 0; key < by_key.size(); ++key) {
    if (by_key[key] == 0) continue;
    int64_t& sum = self[functions.key_node[key]];
    sum = add_saturating(sum, by_key[key]);
  }
  return sorted_tree(functions.depth, functions.label, self, functions.names.size(),
                     [&](uint32_t label) { return functions.names[label]; });
}

// The same for a dictionary that grows: only the nodes with value are projected.
Result<SortedTree> touched_tree(const symbols::SymbolTables& tables,
                                std::span<const int64_t> by_key, MemoryAccountant& memory,
                                ScratchPool& pool) {
  HEARTH_ASSIGN_OR_RETURN(auto by_node, pool.borrow(tables.nodes()));
  add_by_node(tables, by_key, by_node.values());
  std::vector<uint8_t> touched;
  const size_t count = mark_touched(tables.node_parent, by_node.values(), touched);
  HEARTH_ASSIGN_OR_RETURN(
      const MemoryCharge charge,
      memory.charge(tables.nodes() * 3 * sizeof(uint32_t) + count * kProjectionBytesPerNode,
                    "function tree of a dictionary"));
  const FrameLabels frames = function_frames(tables);
  const Projection functions = project(tables, frames, touched);
  HEARTH_ASSIGN_OR_RETURN(auto column, pool.borrow(functions.size()));
  const std::span<int64_t> self = column.values();
  for (size_t n = 0; n < tables.nodes(); ++n) {
    if (by_node.values()[n] == 0) continue;
    int64_t& sum = self[functions.node[n]];
    sum = add_saturating(sum, by_node.values()[n]);
  }
  return sorted_tree(functions.depth, functions.label, self, frames.texts.size(),
                     [&](uint32_t label) { return frames.texts[label]; });
}

Status add_tree(Engine::Impl& impl, const DatasetSums& sums, TreeMerger& merger) {
  const std::span<const int64_t> by_key = sums.by_key.values();
  if (sums.functions != nullptr) {
    merger.hold(sums.functions);
    HEARTH_ASSIGN_OR_RETURN(SortedTree tree, covered_tree(*sums.functions, by_key, impl.scratch));
    return merger.add(std::move(tree));
  }
  merger.hold(sums.tables);
  HEARTH_ASSIGN_OR_RETURN(SortedTree tree,
                          touched_tree(*sums.tables, by_key, *impl.options.memory, impl.scratch));
  return merger.add(std::move(tree));
}

Result<Engine::TreeResult> merge(Engine::Impl& impl, const ProfileQuery& query,
                                 const CancelToken& token, PlaceFinder* places) {
  Engine::TreeResult result;
  std::vector<TreeMerger> mergers;
  for (size_t w = 0; w <= impl.helpers.count; ++w) mergers.emplace_back(*impl.options.memory);
  // Neither places nor side data are in a rollup.
  const bool with_rollups = places == nullptr && query.side.empty();
  const auto visit_rollup = [&](size_t worker, const storage::RollupSource& source,
                                Cost* cost) -> Result<bool> {
    HEARTH_ASSIGN_OR_RETURN(auto rolled_up, rollup_tree(impl, source, query, cost));
    if (!rolled_up) return false;
    mergers[worker].hold(std::move(rolled_up->owner));
    HEARTH_RETURN_IF_ERROR(mergers[worker].add(std::move(rolled_up->tree)));
    return true;
  };
  const auto visit = [&](size_t worker, const std::shared_ptr<const storage::Dataset>& dataset,
                         bool large, Cost* cost) -> Status {
    if (with_rollups) {
      HEARTH_ASSIGN_OR_RETURN(const bool served, visit_rollup(worker, *dataset, cost));
      if (served) return {};
    }
    const SymbolUse use = places == nullptr ? SymbolUse::functions : SymbolUse::both;
    const SumRequest request{&query, use, large};
    HEARTH_ASSIGN_OR_RETURN(const auto sums, sum_dataset(impl, *dataset, request, token, cost));
    if (!sums) return {};
    HEARTH_RETURN_IF_ERROR(add_tree(impl, *sums, mergers[worker]));
    return places != nullptr ? places->add(sums->tables, sums->by_key.values(), impl.scratch)
                             : Status();
  };
  ScanPlan plan{impl.helpers, with_rollups, nullptr};
  if (with_rollups) plan.visit_cover = visit_rollup;
  HEARTH_RETURN_IF_ERROR(
      scan_in_parallel(*impl.options.store, query, plan, token, &result.cost, visit));
  HEARTH_RETURN_IF_ERROR(token.check());
  HEARTH_ASSIGN_OR_RETURN(result.tree, merge_all(std::move(mergers)));
  if (!query.call_site.empty())
    result.tree = below_call_site(std::move(result.tree), query.call_site);
  return result;
}

}  // namespace

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(options)) {}
Engine::~Engine() = default;

void Engine::use_helpers(Executor& executor, size_t threads) {
  impl_->helpers = {&executor, threads};
}

Result<Engine::TreeResult> Engine::merge_tree(const ProfileQuery& query, const CancelToken& token) {
  return with_fresh_views([&] { return merge(*impl_, query, token, nullptr); });
}

Result<Engine::PlacedTreeResult> Engine::merge_placed_tree(const ProfileQuery& query,
                                                           const CancelToken& token) {
  std::optional<PlaceFinder> places;
  HEARTH_ASSIGN_OR_RETURN(auto merged, with_fresh_views([&] {
                            places.emplace();
                            return merge(*impl_, query, token, &*places);
                          }));
  PlacedTreeResult result{std::move(merged.tree), {}, std::move(merged.cost)};
  result.places = places->find(result.tree.names);
  return result;
}

Result<std::shared_ptr<const Engine::PlacedTreeResult>> Engine::shared_placed_tree(
    const ProfileQuery& query, const CancelToken& token) {
  HEARTH_ASSIGN_OR_RETURN(const std::string key, merge_key(*impl_->options.store, query, token));
  return impl_->merges.get(key, [&] { return merge_placed_tree(query, token); });
}

}  // namespace hearth::query
