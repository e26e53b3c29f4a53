#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace hearth::symbols {

/// Read-only symbols of one dataset, as contiguous columns: what a query walks, whether they come from a dictionary in memory
/// (a snapshot of it) or from the sections of a segment.
///
/// Shape:  `strings[0]` is "". Functions, mappings and label sets are numbered from 0; locations from 1 (column index 0 is a
///         filler for "none"); nodes from 1, node 0 is the root and its own parent; keys from 0.
///         `line_begin` has one entry more than there are locations (index 0 filler included): location l owns
///         [line_begin[l], line_begin[l + 1]) of `line_*`, innermost inlined line first.
///         A parent's id is always smaller than its children's, so one forward pass sees parents first and one backward pass
///         propagates totals.
/// Key:    what a row refers to: the stack that ends at `key_node`, with the label set `key_labels` (0 = none; Go heap's
///         `bytes` is the use). Several keys may share a node.
/// Life:   all spans live as long as `owner`. Threads: const, safe to share.
struct SymbolTables {
  std::shared_ptr<const void> owner;

  std::span<const std::string_view> strings;

  std::span<const uint32_t> function_name, function_system_name, function_file;  ///< Indices into strings.
  std::span<const int64_t> function_start_line;

  std::span<const uint64_t> mapping_start, mapping_limit, mapping_offset;
  std::span<const uint32_t> mapping_file, mapping_build_id;
  std::span<const uint8_t> mapping_flags;  ///< ProfileBatch::MappingFlags.

  std::span<const uint32_t> location_mapping;  ///< Mapping index + 1; 0 = none.
  std::span<const uint64_t> location_address;
  std::span<const uint8_t> location_folded;
  std::span<const uint32_t> line_begin;
  std::span<const uint32_t> line_function;
  std::span<const int64_t> line_number, line_column;

  std::span<const uint32_t> node_parent, node_location;

  std::span<const uint32_t> key_node, key_labels;

  /// Label set i owns [label_begin[i], label_begin[i + 1]) of `label_*`; set 0 is empty.
  std::span<const uint32_t> label_begin;
  std::span<const uint32_t> label_key, label_str, label_unit;  ///< Indices into strings; str 0 = numeric.
  std::span<const int64_t> label_num;

  [[nodiscard]] size_t nodes() const { return node_parent.size(); }
  [[nodiscard]] size_t keys() const { return key_node.size(); }
  [[nodiscard]] size_t locations() const { return location_mapping.size(); }
};

}  // namespace hearth::symbols
