#pragma once

#include <memory>

#include "query/engine.h"
#include "query/key_sums.h"
#include "query/symbol_cache.h"

namespace hearth::query {

/// What the engine's calls share. Each call is a file of its own.
struct Engine::Impl {
  explicit Impl(const Options& with)
      : options(with), symbols(*with.memory, with.symbol_cache_bytes), scratch(*with.memory) {}

  Options options;
  SymbolCache symbols;
  ScratchPool scratch;
};

/// A selection of one dataset summed by stack, with the symbols that give the stacks meaning.
struct DatasetSums {
  SymbolCache::Lease symbols;
  ScratchPool::Column by_key;
};
/// nullopt when nothing of the dataset is selected. Adds to the cost.
[[nodiscard]] Result<std::optional<DatasetSums>> sum_dataset(Engine::Impl& impl,
                                                             const storage::Dataset& dataset,
                                                             const ProfileQuery& query,
                                                             const CancelToken& token, Cost* cost);

}  // namespace hearth::query
