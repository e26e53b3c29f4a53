#include "query/tree_builder.h"

#include <utility>

#include "query/saturate.h"

namespace hearth::query {

// What a node may take at most while columns and tables double: three columns, and slots in a table
// that is a quarter full.
constexpr size_t kBytesPerNode = 2 * 16 + 4 * 12;

Status TreeBuilder::prepare(std::span<const uint32_t> parent, std::span<const int64_t> self) {
  const size_t n = parent.size();
  const size_t scratch = n * (sizeof(uint32_t) + sizeof(uint8_t));
  if (charge_.bytes() == 0) {
    HEARTH_ASSIGN_OR_RETURN(charge_, memory_->charge(memory_bytes() + scratch, "a merged tree"));
  } else {
    HEARTH_RETURN_IF_ERROR(charge_.resize(memory_bytes() + scratch));
  }
  touched_.assign(n, 0);
  own_.resize(n);
  size_t count = 0;
  for (size_t i = n; i-- > 1;) {
    touched_[i] |= static_cast<uint8_t>(self[i] != 0);
    touched_[parent[i]] |= touched_[i];
    count += touched_[i];
  }
  return charge_.resize(memory_bytes() + scratch + count * kBytesPerNode);
}

Status TreeBuilder::settle() {
  return charge_.resize(memory_bytes());
}

uint32_t TreeBuilder::label(std::string_view text, uint64_t hash) {
  const size_t known = labels_.texts().size();
  const uint32_t id = labels_.intern(text, hash);
  if (!indexed_ && labels_.texts().size() == known) repeated_ = true;
  return id;
}

uint32_t TreeBuilder::append(uint32_t of, uint32_t its_label) {
  parent_.push_back(of);
  label_.push_back(its_label);
  self_.push_back(0);
  return static_cast<uint32_t>(parent_.size() - 1);
}

// Brings the nodes that were appended into the table; equal ones become one.
void TreeBuilder::index() {
  if (indexed_) return;
  indexed_ = true;
  repeated_ = false;
  const std::vector<uint32_t> parent = std::exchange(parent_, {0});
  const std::vector<uint32_t> label = std::exchange(label_, {0});
  const std::vector<int64_t> self = std::exchange(self_, {0});
  paths_.reserve(parent.size());
  std::vector<uint32_t> own(parent.size(), 0);
  self_[0] = self[0];
  for (size_t i = 1; i < parent.size(); ++i) {
    own[i] = child(own[parent[i]], label[i]);
    add(own[i], self[i]);
  }
}

uint32_t TreeBuilder::child(uint32_t of, uint32_t its_label) {
  const auto next = static_cast<uint32_t>(parent_.size());
  const uint32_t node = paths_.find_or_add(of, its_label, next);
  if (node == next) append(of, its_label);
  return node;
}

void TreeBuilder::add(uint32_t node, int64_t value) {
  self_[node] = add_saturating(self_[node], value);
}

size_t TreeBuilder::memory_bytes() const {
  return paths_.memory_bytes() + labels_.memory_bytes() + touched_.capacity() +
         (parent_.capacity() + label_.capacity() + own_.capacity()) * sizeof(uint32_t) +
         self_.capacity() * sizeof(int64_t);
}

FunctionTree TreeBuilder::finish() {
  const int64_t without_stack = self_[0];
  self_[0] = 0;
  LooseTree loose{std::move(parent_), std::move(label_), std::move(self_), labels_.texts()};
  FunctionTree tree = canonical_tree(std::move(loose));
  tree.without_stack = without_stack;
  return tree;
}

}  // namespace hearth::query
