#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/memory_accountant.h"
#include "base/result.h"
#include "query/function_tree.h"
#include "query/path_table.h"
#include "query/text_table.h"

namespace hearth::query {

/// One tree out of the trees of many datasets: nodes are folded in by (parent, label), labels are
/// one table of texts over all of them. Labels are function names for flame graphs and encoded
/// locations for pprof. Not thread-safe.
class TreeBuilder {
 public:
  explicit TreeBuilder(MemoryAccountant& memory) : memory_(&memory) {}

  /// Keeps what texts point into.
  void hold(std::shared_ptr<const void> owner) { owners_.push_back(std::move(owner)); }
  /// The id of a label. The first tree that is folded in asks once for each of its labels.
  uint32_t label(std::string_view text, uint64_t hash);

  /// Adds a tree: parent[i] < i, node 0 is the root, `self` per node. Nodes without value in their
  /// subtree are passed over. label_of(i) gives the label of node i. `unavailable` when the memory
  /// limit has no room; nothing is added then.
  template <class LabelOf>
  [[nodiscard]] Status fold(std::span<const uint32_t> parent, std::span<const int64_t> self,
                            LabelOf label_of) {
    HEARTH_RETURN_IF_ERROR(prepare(parent, self));
    own_[0] = 0;
    add(0, self[0]);
    // The nodes of the first tree are all new: nothing has to be looked up.
    const bool first = !indexed_ && parent_.size() == 1;
    if (!first) index();
    for (size_t i = 1; i < parent.size(); ++i) {
      if (!touched_[i]) continue;
      const uint32_t up = own_[parent[i]];
      const uint32_t its_label = label_of(i);
      own_[i] = first ? append(up, its_label) : child(up, its_label);
      add(own_[i], self[i]);
    }
    if (repeated_) index();
    return settle();
  }
  /// The canonical tree of everything; ends the builder's use.
  [[nodiscard]] FunctionTree finish();
  /// Labels as they are now; FunctionTree::names are those that are used, sorted.
  [[nodiscard]] const TextTable& labels() const { return labels_; }

 private:
  Status prepare(std::span<const uint32_t> parent, std::span<const int64_t> self);
  Status settle();
  uint32_t append(uint32_t of, uint32_t its_label);
  uint32_t child(uint32_t of, uint32_t its_label);
  void index();
  void add(uint32_t node, int64_t value);
  [[nodiscard]] size_t memory_bytes() const;

  MemoryAccountant* memory_;
  MemoryCharge charge_;
  std::vector<std::shared_ptr<const void>> owners_;
  TextTable labels_;
  PathTable paths_;
  std::vector<uint32_t> parent_{0}, label_{0};
  std::vector<int64_t> self_{0};
  bool indexed_ = false;   // Whether paths_ knows the nodes; not before a second tree comes.
  bool repeated_ = false;  // Two labels of the first tree were one: its nodes may be one, too.
  // Of the tree that is being folded in: which nodes have value below them, and which node of ours
  // each became.
  std::vector<uint8_t> touched_;
  std::vector<uint32_t> own_;
};

}  // namespace hearth::query
