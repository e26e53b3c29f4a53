#pragma once

#include <memory>
#include <optional>

#include "query/engine.h"
#include "query/key_sums.h"
#include "query/merge_cache.h"
#include "query/scan.h"
#include "query/symbol_cache.h"

namespace hearth::query {

/// What the engine's calls share. Each call is a file of its own.
struct Engine::Impl {
  explicit Impl(const Options& with)
      : options(with),
        symbols(*with.memory, with.symbol_cache_bytes),
        merges(*with.memory, with.merge_cache_bytes),
        scratch(*with.memory) {}

  Options options;
  Helpers helpers;
  SymbolCache symbols;
  MergeCache merges;
  ScratchPool scratch;
};

/// A selection of one dataset summed by stack, with the symbols that give the stacks meaning.
struct DatasetSums {
  std::shared_ptr<const FunctionProjection> functions;  ///< When they were asked for and known.
  std::shared_ptr<const symbols::SymbolTables> tables;  ///< Asked for, or without the former.
  ScratchPool::Column by_key;
};
/// What of the symbols a query needs.
enum class SymbolUse : unsigned char { tables, functions, both };
struct SumRequest {
  const ProfileQuery* query = nullptr;
  SymbolUse use = SymbolUse::functions;
  bool split = false;  ///< Several threads work on the dataset.
};
/// nullopt when nothing of the dataset is selected. Adds to the cost. Checks the token every step
/// of rows.
[[nodiscard]] Result<std::optional<DatasetSums>> sum_dataset(Engine::Impl& impl,
                                                             const storage::Dataset& dataset,
                                                             const SumRequest& request,
                                                             const CancelToken& token, Cost* cost);

/// by_node[n] += by_key[k] for each key k of location node n.
void add_by_node(const symbols::SymbolTables& tables, std::span<const int64_t> by_key,
                 std::span<int64_t> by_node);

}  // namespace hearth::query
