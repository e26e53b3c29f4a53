#include <atomic>
#include <mutex>

#include "base/parallel.h"
#include "base/saturate.h"
#include "query/engine_impl.h"

namespace hearth::query {
namespace {

// Loads the symbols of a dataset and adds its rows, several steps of it at a time.
class SumJob {
 public:
  SumJob(Engine::Impl& impl, const storage::Dataset& dataset, const SumRequest& request,
         const CancelToken& token)
      : impl_(impl), dataset_(dataset), request_(request), token_(token) {}

  Result<DatasetSums> run(const Selection& selection) {
    // A dictionary says how many keys there are; a segment's directory does before it is read.
    const bool decodes = dataset_.decodes_symbols();
    if (!decodes) HEARTH_RETURN_IF_ERROR(load_symbols());
    const size_t keys = decodes ? dataset_.info().keys : sums_.tables->keys();
    const Helpers helpers = request_.split ? impl_.helpers : Helpers{};
    const storage::SideSelector& side = request_.query->side;
    KeySums sums(dataset_, selection.type, keys, helpers.count + 1, impl_.scratch,
                 side.empty() ? nullptr : &side);
    // Side data is read as a whole, rows block by block.
    const auto steps = side.empty() ? row_steps(selection)
                                    : std::vector{std::span<const uint32_t>(selection.profiles)};
    const size_t first = decodes ? 1 : 0;
    parallel_for(helpers.executor, helpers.count, first + steps.size(),
                 [&](size_t worker, size_t i) {
                   if (failed_) return;
                   Status done = token_.check();
                   if (done) done = i < first ? load_symbols() : sums.add(worker, steps[i - first]);
                   if (!done) note(std::move(done).error());
                 });
    if (failed_) return tl::unexpected(std::move(failure_));
    HEARTH_ASSIGN_OR_RETURN(sums_.by_key, sums.finish());
    return std::move(sums_);
  }

 private:
  Status load_symbols() {
    if (request_.use != SymbolUse::tables) {
      HEARTH_ASSIGN_OR_RETURN(auto functions, impl_.symbols.functions(dataset_));
      sums_.functions = std::move(functions.projection);
      sums_.tables = std::move(functions.tables);
    }
    if (request_.use != SymbolUse::functions && sums_.tables == nullptr) {
      HEARTH_ASSIGN_OR_RETURN(sums_.tables, impl_.symbols.tables(dataset_));
    }
    return {};
  }
  void note(Error error) {
    const std::lock_guard lock(mutex_);
    if (!failed_.exchange(true)) failure_ = std::move(error);
  }

  Engine::Impl& impl_;
  const storage::Dataset& dataset_;
  const SumRequest& request_;
  const CancelToken& token_;
  DatasetSums sums_;
  std::mutex mutex_;
  std::atomic<bool> failed_ = false;
  Error failure_;
};

}  // namespace

void add_by_node(const symbols::SymbolTables& tables, std::span<const int64_t> by_key,
                 std::span<int64_t> by_node) {
  for (size_t key = 0; key < by_key.size(); ++key) {
    if (by_key[key] == 0) continue;
    int64_t& sum = by_node[tables.key_node[key]];
    sum = add_saturating(sum, by_key[key]);
  }
}

Result<std::optional<DatasetSums>> sum_dataset(Engine::Impl& impl, const storage::Dataset& dataset,
                                               const SumRequest& request, const CancelToken& token,
                                               Cost* cost) {
  if (!request.query->side.empty() && !dataset.has_side()) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(const Selection selection, select_profiles(dataset, *request.query));
  if (selection.profiles.empty()) return std::nullopt;
  HEARTH_ASSIGN_OR_RETURN(DatasetSums sums, SumJob(impl, dataset, request, token).run(selection));
  cost->profiles += selection.profiles.size();
  cost->datasets += 1;
  cost->scanned_bytes += dataset.stored_bytes();
  return sums;
}

}  // namespace hearth::query
