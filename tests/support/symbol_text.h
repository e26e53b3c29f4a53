#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/profile.h"
#include "symbols/symbol_tables.h"

namespace hearth::test {

/// Everything that makes a sample's identity, as text: its frames leaf first with mapping, address
/// and lines, and its labels sorted. Two samples must share a key exactly when these texts are
/// equal.
inline std::string frame_text(std::string_view mapping, uint64_t address, bool folded,
                              const std::vector<std::string>& lines) {
  return fmt::format("[{}|{:x}|{}|{}]", mapping, address, folded, fmt::join(lines, ","));
}
inline std::string mapping_text(uint64_t start, uint64_t limit, uint64_t offset,
                                std::string_view file, std::string_view build_id, int flags) {
  return fmt::format("{:x}-{:x}+{:x} {} {} {}", start, limit, offset, file, build_id, flags);
}
inline std::string line_text(std::string_view name, std::string_view system_name,
                             std::string_view file, int64_t start_line, int64_t line,
                             int64_t column) {
  return fmt::format("{}/{}@{}:{} {}:{}", name, system_name, file, start_line, line, column);
}
inline std::string label_text(std::string_view key, std::string_view str, int64_t num,
                              std::string_view unit) {
  return fmt::format("{}={}/{}{}", key, str, num, unit);
}
inline std::string sample_text(const std::vector<std::string>& frames,
                               std::vector<std::string> labels) {
  std::sort(labels.begin(), labels.end());
  return fmt::format("{} {{{}}}", fmt::join(frames, ""), fmt::join(labels, ","));
}

/// Of a sample of a batch.
inline std::string text_of(const ProfileBatch& b, size_t sample) {
  std::vector<std::string> frames;
  for (const uint32_t l : b.stack(sample)) {
    std::string mapping = "none";
    if (const uint32_t m = b.locations.mapping[l]; m != ProfileBatch::kNone) {
      mapping = mapping_text(b.mappings.start[m], b.mappings.limit[m], b.mappings.offset[m],
                             b.strings[b.mappings.file[m]], b.strings[b.mappings.build_id[m]],
                             b.mappings.flags[m]);
    }
    std::vector<std::string> lines;
    for (uint32_t i = b.locations.line_begin[l]; i < b.locations.line_begin[l + 1]; ++i) {
      const uint32_t f = b.lines.function[i];
      lines.push_back(line_text(b.strings[b.functions.name[f]],
                                b.strings[b.functions.system_name[f]],
                                b.strings[b.functions.file[f]], b.functions.start_line[f],
                                b.lines.line[i], b.lines.column[i]));
    }
    frames.push_back(
        frame_text(mapping, b.locations.address[l], b.locations.folded[l] != 0, lines));
  }
  std::vector<std::string> labels;
  for (const auto& l : b.labels_of(sample))
    labels.push_back(label_text(b.strings[l.key], b.strings[l.str], l.num, b.strings[l.num_unit]));
  return sample_text(frames, labels);
}

/// Of a key of symbol tables.
inline std::string text_of(const symbols::SymbolTables& t, uint32_t key) {
  std::vector<std::string> frames;
  for (uint32_t node = t.key_node[key]; node != 0; node = t.node_parent[node]) {
    const uint32_t l = t.node_location[node];
    std::string mapping = "none";
    if (t.location_mapping[l] != 0) {
      const uint32_t m = t.location_mapping[l] - 1;
      mapping = mapping_text(t.mapping_start[m], t.mapping_limit[m], t.mapping_offset[m],
                             t.strings[t.mapping_file[m]], t.strings[t.mapping_build_id[m]],
                             t.mapping_flags[m]);
    }
    std::vector<std::string> lines;
    for (uint32_t i = t.line_begin[l]; i < t.line_begin[l + 1]; ++i) {
      const uint32_t f = t.line_function[i];
      lines.push_back(line_text(t.strings[t.function_name[f]], t.strings[t.function_system_name[f]],
                                t.strings[t.function_file[f]], t.function_start_line[f],
                                t.line_number[i], t.line_column[i]));
    }
    frames.push_back(frame_text(mapping, t.location_address[l], t.location_folded[l] != 0, lines));
  }
  std::vector<std::string> labels;
  const uint32_t set = t.key_labels[key];
  for (uint32_t i = t.label_begin[set]; i < t.label_begin[set + 1]; ++i) {
    labels.push_back(label_text(t.strings[t.label_key[i]], t.strings[t.label_str[i]],
                                t.label_num[i], t.strings[t.label_unit[i]]));
  }
  return sample_text(frames, labels);
}

}  // namespace hearth::test
