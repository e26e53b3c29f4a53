#include "storage/section_inspect.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "storage/row_block.h"
#include "storage/tree_sections.h"

namespace hearth::storage {
namespace {

using Cell = InspectTable::Cell;

std::string text(const OwnedSymbols& s, uint32_t index) {
  return std::string(s.strings.views[index]);
}

InspectTable strings(const OwnedSymbols& s) {
  InspectTable t{"", {"string", "text"}, {}};
  for (size_t i = 0; i < s.strings.views.size(); ++i)
    t.rows.push_back({uint64_t{i}, text(s, static_cast<uint32_t>(i))});
  return t;
}

InspectTable functions(const OwnedSymbols& s) {
  InspectTable t{"", {"function", "start line", "name", "system name", "file"}, {}};
  for (size_t i = 0; i < s.function_name.size(); ++i) {
    t.rows.push_back({uint64_t{i}, s.function_start_line[i], text(s, s.function_name[i]),
                      text(s, s.function_system_name[i]), text(s, s.function_file[i])});
  }
  return t;
}

InspectTable mappings(const OwnedSymbols& s) {
  InspectTable t{"", {"mapping", "start", "limit", "offset", "flags", "file", "build id"}, {}};
  for (size_t i = 0; i < s.mapping_start.size(); ++i) {
    const auto hex = [](uint64_t v) { return fmt::format("{:#x}", v); };
    t.rows.push_back({uint64_t{i}, hex(s.mapping_start[i]), hex(s.mapping_limit[i]),
                      hex(s.mapping_offset[i]), uint64_t{s.mapping_flags[i]},
                      text(s, s.mapping_file[i]), text(s, s.mapping_build_id[i])});
  }
  return t;
}

/// Innermost inlined function first: "parse:12 < main:7".
std::string frame_text(const OwnedSymbols& s, uint32_t location) {
  std::string out;
  for (size_t i = s.line_begin[location]; i < s.line_begin[location + 1]; ++i) {
    out += fmt::format("{}{}:{}", out.empty() ? "" : " < ",
                       text(s, s.function_name[s.line_function[i]]), s.line_number[i]);
  }
  return out.empty() ? fmt::format("{:#x}", s.location_address[location]) : out;
}

InspectTable locations(const OwnedSymbols& s) {
  InspectTable t{"", {"location", "mapping + 1", "address", "folded", "lines"}, {}};
  for (uint32_t l = 1; l < s.location_mapping.size(); ++l) {
    t.rows.push_back({uint64_t{l}, uint64_t{s.location_mapping[l]},
                      fmt::format("{:#x}", s.location_address[l]), uint64_t{s.location_folded[l]},
                      frame_text(s, l)});
  }
  return t;
}

InspectTable edges(const OwnedSymbols& s) {
  InspectTable t{"", {"location", "successors"}, {}};
  const RankedEdges ranked = rank_edges(s.node_parent, s.node_location, s.location_mapping.size());
  const Successors& list = ranked.successors;
  for (size_t l = 0; l + 1 < list.begin.size(); ++l) {
    std::string targets;
    for (size_t i = list.begin[l]; i < list.begin[l + 1]; ++i)
      targets += fmt::format(" {}", list.target[i]);
    t.rows.push_back({uint64_t{l}, targets.empty() ? "-" : targets.substr(1)});
  }
  return t;
}

InspectTable tree(const OwnedSymbols& s) {
  InspectTable t{"", {"node", "parent", "depth", "location", "frame"}, {}};
  std::vector<uint64_t> depth(s.node_parent.size());
  for (uint32_t n = 1; n < s.node_parent.size(); ++n) {
    depth[n] = depth[s.node_parent[n]] + 1;
    t.rows.push_back({uint64_t{n}, uint64_t{s.node_parent[n]}, depth[n],
                      uint64_t{s.node_location[n]}, frame_text(s, s.node_location[n])});
  }
  return t;
}

std::string label_text(const OwnedSymbols& s, uint32_t set) {
  std::string out;
  for (size_t i = s.label_begin[set]; i < s.label_begin[set + 1]; ++i) {
    out += fmt::format("{}{}=", out.empty() ? "" : " ", text(s, s.label_key[i]));
    out += s.label_str[i] != 0 ? text(s, s.label_str[i])
                               : fmt::format("{}{}", s.label_num[i], text(s, s.label_unit[i]));
  }
  return out.empty() ? "-" : out;
}

InspectTable keys(const OwnedSymbols& s) {
  InspectTable t{"", {"key", "class", "node", "labels"}, {}};
  for (size_t k = 0; k < s.key_node.size(); ++k) {
    t.rows.push_back({uint64_t{k}, uint64_t{s.key_class[k]}, uint64_t{s.key_node[k]},
                      label_text(s, s.key_labels[k])});
  }
  return t;
}

InspectTable series(const std::vector<LabelSet>& sets) {
  InspectTable t{"", {"series", "labels"}, {}};
  for (size_t i = 0; i < sets.size(); ++i) t.rows.push_back({uint64_t{i}, sets[i].to_string()});
  return t;
}

InspectTable profiles(const DatasetInfo& info, const ProfileTable& p) {
  InspectTable t{"", {"profile", "series", "start_ns", "duration_ns", "period", "rows", "id"}, {}};
  for (const SampleType& type : info.family.types) t.columns.push_back(type.type + ":" + type.unit);
  for (size_t i = 0; i < p.size(); ++i) {
    std::vector<Cell> row = {uint64_t{i},
                             uint64_t{p.series[i]},
                             p.start_ns[i],
                             p.duration_ns[i],
                             p.period[i],
                             uint64_t{p.rows[i]},
                             p.ids.empty() ? "-" : p.ids[i].uuid()};
    for (const auto& total : p.totals) row.emplace_back(total[i]);
    t.rows.push_back(std::move(row));
  }
  return t;
}

InspectTable blocks(const DatasetInfo& info, const std::vector<RowBlockInfo>& list) {
  InspectTable t{"",
                 {"block", "profiles", "rows", "t_min_ns", "t_max_ns", "first series",
                  "last series", "highest key", "stored", "raw"},
                 {}};
  for (const SampleType& type : info.family.types) t.columns.push_back(type.type + ":" + type.unit);
  for (size_t i = 0; i < list.size(); ++i) {
    const RowBlockInfo& b = list[i];
    std::vector<Cell> row = {uint64_t{i},
                             uint64_t{b.profiles},
                             uint64_t{b.rows},
                             b.t_min_ns,
                             b.t_max_ns,
                             uint64_t{b.first_series},
                             uint64_t{b.last_series},
                             uint64_t{b.highest_key},
                             uint64_t{b.stored},
                             uint64_t{b.raw}};
    for (const int64_t sum : b.sums) row.emplace_back(sum);
    t.rows.push_back(std::move(row));
  }
  return t;
}

Status append_block(const SegmentDataset& dataset, const ProfileTable& p, const RowBlockInfo& block,
                    InspectTable& t) {
  const auto rows = block.rows_of(p);
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, dataset.raw_block(block));
  DecodedRowBlock decoded;
  HEARTH_RETURN_IF_ERROR(dataset.decode_block(raw, p, block, decoded));
  size_t r = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    for (const size_t end = r + rows[i]; r < end; ++r) {
      std::vector<Cell> row = {uint64_t{block.first_profile + i}, uint64_t{decoded.key[r]}};
      for (const auto& values : decoded.values) row.emplace_back(values[r]);
      t.rows.push_back(std::move(row));
    }
  }
  return {};
}

Result<InspectTable> rows(const SegmentDataset& dataset, const ProfileIndex& index) {
  InspectTable t{"", {"profile", "key"}, {}};
  for (const SampleType& type : dataset.info().family.types)
    t.columns.push_back(type.type + ":" + type.unit);
  for (const RowBlockInfo& block : index.blocks) {
    HEARTH_RETURN_IF_ERROR(append_block(dataset, index.profiles, block, t));
  }
  return t;
}

Result<InspectTable> side(const SegmentDataset& dataset) {
  InspectTable t{"", {"profile", "key", "span", "trace", "time_ns"}, {}};
  const DatasetInfo& info = dataset.info();
  for (const SampleType& type : info.family.types) t.columns.push_back(type.type + ":" + type.unit);
  const size_t types = info.family.types.size();
  HEARTH_ASSIGN_OR_RETURN(const auto index, dataset.profile_index());
  HEARTH_ASSIGN_OR_RETURN(const SideSection section, dataset.side());
  SideTable block;
  for (const SideBlockInfo& b : section.blocks()) {
    HEARTH_RETURN_IF_ERROR(section.decode(b, index->profiles, info.keys, types, block));
    size_t e = 0;
    for (size_t p = 0; p < block.count.size(); ++p) {
      for (const size_t end = e + block.count[p]; e < end; ++e) {
        const SideEntry& entry = block.entries[e];
        const Id128& trace = entry.trace_id;
        std::vector<Cell> row = {
            uint64_t{b.first_profile + p}, uint64_t{entry.key},
            entry.span_id == 0 ? "-" : fmt::format("{:016x}", entry.span_id),
            trace == Id128{} ? "-" : fmt::format("{:016x}{:016x}", trace.hi, trace.lo),
            entry.time_ns};
        for (const int64_t value : block.values_of(e, types)) row.emplace_back(value);
        t.rows.push_back(std::move(row));
      }
    }
  }
  return t;
}

InspectTable heap_factors(const HeapScales& scales) {
  InspectTable t{"", {"rate", "block size", "c"}, {}};
  for (const HeapFactor& f : scales.factors)
    t.rows.push_back({f.rate, f.size, fmt::format("{}", f.c)});
  return t;
}

constexpr std::array<std::pair<const char*, InspectTable (*)(const OwnedSymbols&)>, 8>
    kSymbolSections = {{
        {"STR", strings},
        {"FUNC", functions},
        {"MAP", mappings},
        {"LOC", locations},
        {"EDGE", edges},
        {"TREE", tree},
        {"CLASS", keys},
        {"KEYS", keys},
    }};

}  // namespace

InspectTable inspect_rollup(const DatasetInfo& info, const Rollup& r) {
  InspectTable t{"", {"group", "node", "parent", "function"}, {}};
  for (const SampleType& type : info.family.types) t.columns.push_back(type.type + ":" + type.unit);
  for (size_t g = 0; g < r.groups.size(); ++g) {
    const RollupGroup& group = r.groups[g];
    const std::string name = group.name.empty() ? "-" : group.name + "=" + group.value;
    const Rollup::Rows& rows = r.rows[g];
    for (size_t i = 0; i < rows.node.size(); ++i) {
      const uint32_t node = rows.node[i];
      std::vector<Cell> row = {name, uint64_t{node}, uint64_t{r.node_parent[node]},
                               std::string(r.names[r.node_name[node]])};
      for (const auto& values : rows.values) row.emplace_back(values[i]);
      t.rows.push_back(std::move(row));
    }
  }
  return t;
}

Result<InspectTable> inspect_section(const SegmentDataset& dataset, const std::string& section) {
  for (const auto& [name, table_of] : kSymbolSections) {
    if (section != name) continue;
    HEARTH_ASSIGN_OR_RETURN(const auto symbols, dataset.owned_symbols());
    return table_of(*symbols);
  }
  if (section == "LBL") {
    HEARTH_ASSIGN_OR_RETURN(const auto sets, dataset.series());
    return series(*sets);
  }
  if (section == "ROLL") {
    HEARTH_ASSIGN_OR_RETURN(const auto rollup, dataset.rollup());
    return rollup ? inspect_rollup(dataset.info(), *rollup) : InspectTable{};
  }
  if (section == "HEAP") {
    HEARTH_ASSIGN_OR_RETURN(const auto scales, dataset.heap_scales());
    return scales ? heap_factors(*scales) : InspectTable{};
  }
  if (section == "SIDE") return side(dataset);
  if (section != "PROF" && section != "BLKS" && section != "ROWS") {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("inspect section: got \"{}\"; want ROLL, STR, FUNC, MAP, LOC, EDGE, TREE, "
                    "CLASS, KEYS, HEAP, LBL, PROF, BLKS, ROWS, SIDE or CROLL",
                    section));
  }
  HEARTH_ASSIGN_OR_RETURN(const auto index, dataset.profile_index());
  if (section == "PROF") return profiles(dataset.info(), index->profiles);
  if (section == "BLKS") return blocks(dataset.info(), index->blocks);
  return rows(dataset, *index);
}

}  // namespace hearth::storage
