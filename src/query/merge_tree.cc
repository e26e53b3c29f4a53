#include "query/engine_impl.h"
#include "query/place_finder.h"
#include "query/saturate.h"
#include "query/scan.h"
#include "query/tree_builder.h"

namespace hearth::query {
namespace {

// Sums by key, by function node of the projection. Values of stacks without a frame end at node 0.
Result<ScratchPool::Column> sum_by_function_node(const DatasetSums& sums, ScratchPool& pool) {
  const Projection& projection = sums.symbols.projection();
  HEARTH_ASSIGN_OR_RETURN(auto column, pool.borrow(projection.size()));
  const std::span<int64_t> self = column.values();
  const std::span<const uint32_t> key_node = sums.symbols.tables().key_node;
  const std::span<const int64_t> by_key = sums.by_key.values();
  for (size_t key = 0; key < by_key.size(); ++key) {
    if (by_key[key] == 0) continue;
    int64_t& sum = self[projection.function_node[key_node[key]]];
    sum = add_saturating(sum, by_key[key]);
  }
  return column;
}

// Folds function trees into one; a name of a dataset is looked up once, when the first node with
// value has it.
class FunctionMerge {
 public:
  explicit FunctionMerge(Engine::Impl& impl) : impl_(&impl), builder_(*impl.options.memory) {}

  Status add(const DatasetSums& sums, PlaceFinder* places) {
    const SymbolCache::Lease& symbols = sums.symbols;
    const Projection& projection = symbols.projection();
    HEARTH_ASSIGN_OR_RETURN(const auto self, sum_by_function_node(sums, impl_->scratch));
    builder_.hold(symbols.shared_tables());
    label_.assign(projection.name_string.size(), kUnknown);
    const auto label_of = [&](size_t node) {
      const uint32_t name = projection.name[node];
      if (label_[name] == kUnknown) {
        label_[name] = builder_.label(symbols.tables().strings[projection.name_string[name]],
                                      projection.name_hash[name]);
      }
      return label_[name];
    };
    HEARTH_RETURN_IF_ERROR(builder_.fold(projection.parent, self.values(), label_of));
    return places != nullptr
               ? places->add(symbols.shared_tables(), sums.by_key.values(), impl_->scratch)
               : Status();
  }
  FunctionTree finish() { return builder_.finish(); }

 private:
  static constexpr uint32_t kUnknown = UINT32_MAX;
  Engine::Impl* impl_;
  TreeBuilder builder_;
  std::vector<uint32_t> label_;
};

Result<Engine::TreeResult> merge(Engine::Impl& impl, const ProfileQuery& query,
                                 const CancelToken& token, PlaceFinder* places) {
  Engine::TreeResult result;
  FunctionMerge merge(impl);
  HEARTH_RETURN_IF_ERROR(
      scan(*impl.options.store, query.tenant, query.selector, query.range, token, &result.cost,
           [&](const std::shared_ptr<const storage::Dataset>& dataset) -> Status {
             HEARTH_ASSIGN_OR_RETURN(const auto sums,
                                     sum_dataset(impl, *dataset, query, token, &result.cost));
             return sums ? merge.add(*sums, places) : Status();
           }));
  HEARTH_RETURN_IF_ERROR(token.check());
  result.tree = merge.finish();
  if (!query.call_site.empty())
    result.tree = below_call_site(std::move(result.tree), query.call_site);
  return result;
}

}  // namespace

Result<std::optional<DatasetSums>> sum_dataset(Engine::Impl& impl, const storage::Dataset& dataset,
                                               const ProfileQuery& query, const CancelToken& token,
                                               Cost* cost) {
  HEARTH_ASSIGN_OR_RETURN(const Selection selection, select_profiles(dataset, query));
  if (selection.profiles.empty()) return std::nullopt;
  DatasetSums sums;
  HEARTH_ASSIGN_OR_RETURN(sums.symbols, impl.symbols.get(dataset));
  HEARTH_ASSIGN_OR_RETURN(sums.by_key, sum_by_key(dataset, selection, sums.symbols.tables().keys(),
                                                  impl.scratch, token));
  cost->profiles += selection.profiles.size();
  cost->datasets += 1;
  cost->scanned_bytes += dataset.stored_bytes();
  return sums;
}

Engine::Engine(Options options) : impl_(std::make_unique<Impl>(options)) {}
Engine::~Engine() = default;

Result<Engine::TreeResult> Engine::merge_tree(const ProfileQuery& query, const CancelToken& token) {
  return merge(*impl_, query, token, nullptr);
}

Result<Engine::PlacedTreeResult> Engine::merge_placed_tree(const ProfileQuery& query,
                                                           const CancelToken& token) {
  PlaceFinder places;
  HEARTH_ASSIGN_OR_RETURN(auto merged, merge(*impl_, query, token, &places));
  PlacedTreeResult result{std::move(merged.tree), {}, std::move(merged.cost)};
  result.places = places.find(result.tree.names);
  return result;
}

}  // namespace hearth::query
