#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "query/sorted_tree.h"
#include "symbols/symbol_tables.h"

namespace hearth::query {

/// The frames that locations stand for, as numbers of labels.
///
/// Shape:  location l has the frames [begin[l], begin[l + 1]) of `label`, the innermost first, as
///         lines of a location are. Labels are numbered in the order of their texts, 0 is "".
/// Views:  texts point into the tables or where the caller keeps them.
struct FrameLabels {
  std::span<const uint32_t> begin;
  std::vector<uint32_t> label;
  std::vector<std::string_view> texts;
};

/// Gives equal texts one number, in the order of the texts; number[i] is that of texts[i].
struct TextOrder {
  std::vector<uint32_t> number;
  std::vector<uint32_t> first;  ///< By number − 1: the index of a text that has it.
};
/// Empty texts get number 0, others 1 and up.
TextOrder order_texts(std::span<const std::string_view> texts);

/// Each line of a location is a frame, named by its function.
FrameLabels function_frames(const symbols::SymbolTables& tables);

/// A dataset's tree of locations with locations expanded to frames and nodes with equal paths made
/// one: nodes whose locations have no frames fall onto their parents. It depends on symbols only.
///
/// Shape:  canonical order: preorder, children ascending by label; node 0 is the root. `node[n]` is
///         what location node n became, kNoNode when it was not wanted.
struct Projection {
  std::vector<uint32_t> node;
  std::vector<uint32_t> depth, label;
  [[nodiscard]] size_t size() const { return depth.size(); }
};
/// Bytes that project() takes at most for one location node with one frame, its scratch included.
inline constexpr size_t kProjectionBytesPerNode = 3 * 4 + 2 * 2 * 4 + 2 * 16;

/// `wanted[n]`: location node n is looked at; so must its parents be. Empty: all are.
Projection project(const symbols::SymbolTables& tables, const FrameLabels& frames,
                   std::span<const uint8_t> wanted);

/// Marks the nodes of a tree that have value at or below them; returns how many there are but the
/// root. The tree has its nodes in preorder, or numbers parents before their children.
size_t mark_touched_preorder(std::span<const uint32_t> depth, std::span<const int64_t> self,
                             std::vector<uint8_t>& touched);
size_t mark_touched(std::span<const uint32_t> parent, std::span<const int64_t> self,
                    std::vector<uint8_t>& touched);

/// Whether that is so of all nodes of a tree in preorder, mostly those of a rollup.
bool leaves_have_value(std::span<const uint32_t> depth, std::span<const int64_t> self);

/// Columns of a sorted tree that still has the caller's numbers of labels: of all nodes, or of
/// those that have value at or below them.
SortedTree all_nodes(std::span<const uint32_t> depth, std::span<const uint32_t> label,
                     std::span<const int64_t> self);
SortedTree touched_nodes(std::span<const uint32_t> depth, std::span<const uint32_t> label,
                         std::span<const int64_t> self);

/// The nodes of a tree in canonical order that have value at or below them. Columns run in
/// parallel; text_of(label) is the text of a label.
template <class TextOf>
SortedTree sorted_tree(std::span<const uint32_t> depth, std::span<const uint32_t> label,
                       std::span<const int64_t> self, size_t labels, TextOf text_of) {
  SortedTree out = leaves_have_value(depth, self) ? all_nodes(depth, label, self)
                                                  : touched_nodes(depth, label, self);
  std::vector<uint32_t> number(labels, 0);
  for (const uint32_t own : out.label) number[own] = 1;
  number[0] = 0;  // The label "" keeps its number.
  for (uint32_t l = 1; l < labels; ++l) {
    if (number[l] == 0) continue;
    number[l] = static_cast<uint32_t>(out.labels.size());
    out.labels.push_back(text_of(l));
  }
  for (uint32_t& own : out.label) own = number[own];
  return out;
}

}  // namespace hearth::query
