#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "symbols/snapshot_vector.h"
#include "symbols/symbol_tables.h"

namespace hearth::symbols {

/// Entries per table, the fixed first entries included (string 0, location 0, node 0, label set 0).
struct TableSizes {
  uint32_t strings = 1;
  uint32_t functions = 0;
  uint32_t mappings = 0;
  uint32_t locations = 1;
  uint32_t nodes = 1;
  uint32_t label_sets = 1;
  uint32_t keys = 0;

  bool operator==(const TableSizes&) const = default;
  /// The members in the order of the delta format.
  [[nodiscard]] std::array<uint32_t, 7> list() const {
    return {strings, functions, mappings, locations, nodes, label_sets, keys};
  }
  static TableSizes from_list(const std::array<uint32_t, 7>& v) {
    return {v[0], v[1], v[2], v[3], v[4], v[5], v[6]};
  }
};

// Contents of one entry, in terms of ids of the tables it refers to.
struct Function {
  uint32_t name = 0, system_name = 0, file = 0;
  int64_t start_line = 0;
  bool operator==(const Function&) const = default;
};
struct Mapping {
  uint64_t start = 0, limit = 0, offset = 0;
  uint32_t file = 0, build_id = 0;
  uint8_t flags = 0;
  bool operator==(const Mapping&) const = default;
};
struct Line {
  uint32_t function = 0;
  int64_t line = 0, column = 0;
  bool operator==(const Line&) const = default;
};
struct Location {
  uint32_t mapping = 0;  ///< Index + 1; 0 = none.
  uint64_t address = 0;
  bool folded = false;
  std::span<const Line> lines;
};
struct LabelEntry {
  uint32_t key = 0, str = 0;
  int64_t num = 0;
  uint32_t unit = 0;
  auto operator<=>(const LabelEntry&) const = default;
};

/// The columns of a dictionary: SymbolTables that grow. Adds entries and never looks for equal
/// ones. Threads: as SnapshotVector; what snapshot() returned is read without a lock.
class SymbolColumns {
 public:
  SymbolColumns();

  uint32_t add_string(std::string_view s);
  uint32_t add_function(const Function& f);
  uint32_t add_mapping(const Mapping& m);
  uint32_t add_location(const Location& l);
  uint32_t add_node(uint32_t parent, uint32_t location) {
    columns_.node_parent.push_back(parent);
    columns_.node_location.push_back(location);
    return columns_.node_parent.size32() - 1;
  }
  /// What add_node() returns next.
  [[nodiscard]] uint32_t next_node() const { return columns_.node_parent.size32(); }
  uint32_t add_label_set(std::span<const LabelEntry> entries);
  uint32_t add_key(uint32_t node, uint32_t labels);
  /// After an add_…() that threw: takes back the entry that has only some of its columns.
  void drop_incomplete() noexcept;
  /// Fills every table with empty entries up to `sizes`; tables that are longer stay as they are.
  void fill_to(const TableSizes& sizes);

  [[nodiscard]] TableSizes sizes() const;
  [[nodiscard]] SymbolTables snapshot() const;
  [[nodiscard]] size_t memory_bytes() const;

  // What lookups compare with.
  [[nodiscard]] std::string_view string(uint32_t id) const { return columns_.strings[id]; }
  [[nodiscard]] Function function(uint32_t id) const;
  [[nodiscard]] Mapping mapping(uint32_t id) const;
  [[nodiscard]] bool location_equals(uint32_t id, const Location& l) const;
  [[nodiscard]] bool label_set_equals(uint32_t id, std::span<const LabelEntry> entries) const;
  [[nodiscard]] uint32_t node_parent(uint32_t id) const { return columns_.node_parent[id]; }
  [[nodiscard]] uint32_t node_location(uint32_t id) const { return columns_.node_location[id]; }

  void prefetch_string(uint32_t id) const { columns_.strings.prefetch(id); }
  void prefetch_string_bytes(uint32_t id) const { __builtin_prefetch(columns_.strings[id].data()); }
  void prefetch_function(uint32_t id) const;
  void prefetch_location(uint32_t id) const;
  void prefetch_location_lines(uint32_t id) const;
  void prefetch_node(uint32_t id) const;

 private:
  struct Columns {
    SnapshotVector<std::string_view> strings;
    SnapshotVector<uint32_t> function_name, function_system_name, function_file;
    SnapshotVector<int64_t> function_start_line;
    SnapshotVector<uint64_t> mapping_start, mapping_limit, mapping_offset;
    SnapshotVector<uint32_t> mapping_file, mapping_build_id;
    SnapshotVector<uint8_t> mapping_flags;
    SnapshotVector<uint32_t> location_mapping;
    SnapshotVector<uint64_t> location_address;
    SnapshotVector<uint8_t> location_folded;
    SnapshotVector<uint32_t> line_begin, line_function;
    SnapshotVector<int64_t> line_number, line_column;
    SnapshotVector<uint32_t> node_parent, node_location;
    SnapshotVector<uint32_t> key_node, key_labels;
    SnapshotVector<uint32_t> label_begin, label_key, label_str, label_unit;
    SnapshotVector<int64_t> label_num;
  };
  Columns columns_;
  std::shared_ptr<Arena> bytes_ =
      std::make_shared<Arena>();  ///< Of the strings; shared with snapshots.
};

}  // namespace hearth::symbols
