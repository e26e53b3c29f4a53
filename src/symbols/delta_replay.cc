#include "symbols/delta_replay.h"

#include <fmt/format.h>

#include <vector>

namespace hearth::symbols {
namespace {

Status check_position(const TableSizes& have, const TableSizes& before) {
  const auto from = have.list();
  const auto to = before.list();
  for (size_t i = 0; i < from.size(); ++i) {
    if (to[i] < from[i]) {
      return fail(
          ErrorCode::data_loss,
          fmt::format("apply symbol delta: it starts at {} in table {}, which has {} entries",
                      to[i], i, from[i]));
    }
    if (to[i] - from[i] > kGapEntriesMax) {
      return fail(
          ErrorCode::data_loss,
          fmt::format(
              "apply symbol delta: {} entries are missing before it in table {}; want at most {}",
              to[i] - from[i], i, kGapEntriesMax));
    }
  }
  return {};
}

class Replay {
 public:
  Replay(const SymbolDelta& delta, SymbolColumns& columns, SymbolIndex* index, LostSymbols& lost)
      : delta_(delta), columns_(columns), index_(index), lost_(lost) {}

  void run() {
    for (const std::string_view s : delta_.strings) {
      const uint32_t id = columns_.add_string(s);
      if (index_ != nullptr) index_->strings.insert(index_->hash_of(s), id);
    }
    for (const Function& f : delta_.functions)
      add(&SymbolIndex::functions, lost_.functions, columns_.add_function(f), f);
    for (const Mapping& m : delta_.mappings)
      add(&SymbolIndex::mappings, lost_.mappings, columns_.add_mapping(m), m);
    for (size_t i = 0; i < delta_.locations.size(); ++i) {
      const Location l = delta_.location(i);
      add(&SymbolIndex::locations, lost_.locations, columns_.add_location(l), l);
    }
    for (const SymbolDelta::Node& n : delta_.nodes) add_node(n);
    for (size_t i = 0; i + 1 < delta_.label_begin.size(); ++i) {
      const auto entries = delta_.label_set(i);
      add(&SymbolIndex::label_sets, lost_.label_sets, columns_.add_label_set(entries), entries);
    }
    for (const SymbolDelta::Key& k : delta_.keys) add_key(k);
  }

 private:
  template <class Entry>
  void add(IdTable SymbolIndex::* table, LostIds& lost_ids, uint32_t id, const Entry& entry) {
    if (lost_.affects(entry)) {
      lost_ids.add(id);
    } else if (index_ != nullptr) {
      (index_->*table).insert(index_->hash_of(entry), id);
    }
  }
  void add_node(const SymbolDelta::Node& n) {
    const uint32_t id = columns_.add_node(n.parent, n.location);
    if (lost_.nodes.has(n.parent) || lost_.locations.has(n.location)) {
      lost_.nodes.add(id);
    } else if (index_ != nullptr) {
      index_->nodes.insert(index_->hash_of_node(n.parent, n.location), id);
    }
  }
  void add_key(const SymbolDelta::Key& k) {
    const uint32_t id = columns_.add_key(k.node, k.labels);
    if (lost_.nodes.has(k.node) || lost_.label_sets.has(k.labels)) {
      lost_.keys.add(id);
      return;
    }
    if (index_ == nullptr) return;
    stack_.clear();
    for (uint32_t node = k.node; node != 0; node = columns_.node_parent(node))
      stack_.push_back(columns_.node_location(node));
    stack_.push_back(k.labels);
    index_->insert_key(index_->hash_of_key(stack_), id);
  }

  const SymbolDelta& delta_;
  SymbolColumns& columns_;
  SymbolIndex* index_;
  LostSymbols& lost_;
  std::vector<uint32_t> stack_;
};

}  // namespace

Status replay_delta(const SymbolDelta& delta, SymbolColumns& columns, SymbolIndex* index,
                    LostSymbols& lost) {
  HEARTH_RETURN_IF_ERROR(check_position(columns.sizes(), delta.before));
  lost.add_gap(columns.sizes(), delta.before);
  columns.fill_to(delta.before);
  Replay(delta, columns, index, lost).run();
  return {};
}

}  // namespace hearth::symbols
