#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "query/function_tree.h"

namespace hearth::query {

/// A call tree on its way to a FunctionTree: in canonical order, but without totals.
///
/// Shape:  columns of equal length in preorder, node 0 is the root with depth 0; the label of a
/// node
///         indexes `labels`, which are unique and ascend bytewise, labels[0] = "". Siblings have
///         ascending labels. A node without value has one below it.
/// Views:  labels point into memory that the caller keeps.
struct SortedTree {
  std::vector<uint32_t> depth{0}, label{0};
  std::vector<int64_t> self{0};
  std::vector<std::string_view> labels{std::string_view()};

  [[nodiscard]] size_t size() const { return depth.size(); }
  [[nodiscard]] size_t memory_bytes() const;
};

/// Trees as one. Canonical orders merge as sorted lists do: in passes over them, nothing is looked
/// up (merge_sorted.cc).
SortedTree merge_sorted(std::vector<SortedTree> trees);

/// Computes totals and drops what comes to 0; self[0] becomes `without_stack`.
FunctionTree to_function_tree(SortedTree tree);

/// Many trees into one. They wait until there are many, or they take much memory; what they become
/// waits for its like. So each node is copied few times, however many trees come. Not thread-safe.
class TreeMerger {
 public:
  explicit TreeMerger(MemoryAccountant& memory) : memory_(&memory) {}

  /// Keeps what labels point into.
  void hold(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }
  /// `unavailable` when the memory limit has no room; the merger is then of no use any more.
  [[nodiscard]] Status add(SortedTree tree) { return add(std::move(tree), 0); }
  /// Takes over everything that another merger was given.
  [[nodiscard]] Status add(TreeMerger&& other);
  /// The tree of everything; ends the merger's use.
  [[nodiscard]] Result<FunctionTree> finish();

 private:
  [[nodiscard]] Status add(SortedTree tree, size_t level);
  [[nodiscard]] Result<SortedTree> merge(std::vector<SortedTree>& trees);
  [[nodiscard]] Status charge(size_t extra);

  MemoryAccountant* memory_;
  MemoryCharge charge_;
  std::vector<std::shared_ptr<const void>> owners_;
  std::vector<std::vector<SortedTree>> waiting_;  ///< By how often their nodes were copied.
};

/// The tree of everything that several mergers were given.
[[nodiscard]] Result<FunctionTree> merge_all(std::vector<TreeMerger> mergers);

}  // namespace hearth::query
