#include "storage/rollup_builder.h"

#include <algorithm>
#include <set>

#include "base/bytes.h"
#include "storage/column_codec.h"
#include "storage/loose_tree.h"
#include "storage/row_block.h"
#include "storage/segment_format.h"
#include "storage/symbol_usage.h"
#include "storage/tree_order.h"
#include "storage/tree_sections.h"

namespace hearth::storage {
namespace {

constexpr uint8_t kSaturated = 1;
constexpr size_t kSumsMax = 1U << 21U;

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::roll, what);
}

void put_gaps(std::span<const uint32_t> ascending, std::string& out) {
  std::vector<uint32_t> gaps(ascending.begin(), ascending.end());
  for (size_t i = gaps.size(); i-- > 1;) gaps[i] -= gaps[i - 1] + 1;
  put_vcol(out, gaps);
}

}  // namespace

RollupBuilder::RollupBuilder(const symbols::SymbolTables& tables, std::span<const LabelSet> series,
                             std::vector<std::string> labels, size_t types)
    : tables_(tables), series_(series), types_(types) {
  project();
  choose_groups(std::move(labels));
  sums_.resize(groups_.size() * types_, std::vector<int64_t>(parent_.size()));
}

void RollupBuilder::project() {
  LooseTree tree(tables_.nodes() / 2);
  std::vector<uint32_t> loose(tables_.nodes());
  for (size_t n = 1; n < tables_.nodes(); ++n) {
    const uint32_t location = tables_.node_location[n];
    uint32_t at = loose[tables_.node_parent[n]];
    for (uint32_t line = tables_.line_begin[location + 1]; line-- > tables_.line_begin[location];)
      at = tree.find_or_add(at, tables_.function_name[tables_.line_function[line]]);
    loose[n] = at;
  }
  const std::vector<uint32_t> parent = tree.parents();
  const std::vector<uint32_t> name = name_nodes(tree.labels());
  const std::vector<uint32_t> number = preorder(parent, order_siblings(parent, name));
  parent_.resize(number.size());
  name_.resize(number.size());
  for (size_t i = 1; i < number.size(); ++i) {
    parent_[number[i]] = number[parent[i]];
    name_[number[i]] = name[i];
  }
  node_of_key_.reserve(tables_.key_node.size());
  for (const uint32_t node : tables_.key_node) node_of_key_.push_back(number[loose[node]]);
}

// Fills names_; returns each node's index in it.
std::vector<uint32_t> RollupBuilder::name_nodes(std::vector<uint32_t> string) {
  std::vector<uint8_t> used(tables_.strings.size());
  for (size_t node = 1; node < string.size(); ++node) used[string[node]] = 1;
  std::vector<uint32_t> index(used.size());
  names_.assign(1, 0);
  for_each_used(used, [&](uint32_t s) {
    index[s] = static_cast<uint32_t>(names_.size());
    names_.push_back(s);
  });
  for (size_t node = 1; node < string.size(); ++node) string[node] = index[string[node]];
  return string;
}

void RollupBuilder::choose_groups(std::vector<std::string> labels) {
  groups_.emplace_back();
  std::ranges::sort(labels);
  const auto rest = std::ranges::unique(labels);
  labels.erase(rest.begin(), rest.end());
  labels.resize(std::min(labels.size(), kRollupLabels));
  for (const std::string& label : labels) {
    std::set<std::string_view> values;
    for (const LabelSet& set : series_) values.insert(set.get(label));
    values.erase("");
    const size_t groups = groups_.size() + values.size();
    if (values.size() > kRollupLabelValues || groups * parent_.size() > kSumsMax) continue;
    for (const std::string_view value : values) groups_.push_back({label, std::string(value)});
  }
  groups_of_series_.resize(series_.size());
  for (size_t s = 0; s < series_.size(); ++s) {
    for (uint32_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].name.empty() || series_[s].get(groups_[g].name) == groups_[g].value)
        groups_of_series_[s].push_back(g);
    }
  }
}

void RollupBuilder::add(uint32_t series, int64_t period, std::span<const uint32_t> key,
                        const std::vector<std::span<const int64_t>>& values) {
  period_ = !any_ || period == period_ ? period : 0;
  any_ = true;
  for (const uint32_t group : groups_of_series_[series]) {
    for (size_t t = 0; t < types_; ++t) {
      int64_t* const to = sums_[group * types_ + t].data();
      for (size_t i = 0; i < key.size(); ++i) {
        int64_t& sum = to[node_of_key_[key[i]]];
        if (!__builtin_add_overflow(sum, values[t][i], &sum)) continue;
        sum = values[t][i] < 0 ? INT64_MIN : INT64_MAX;
        saturated_ = true;
      }
    }
  }
}

std::string RollupBuilder::encode_rows() const {
  std::vector<uint32_t> rows;
  std::vector<uint32_t> key;
  std::vector<std::vector<int64_t>> values(types_);
  for (size_t g = 0; g < groups_.size(); ++g) {
    const size_t begin = key.size();
    const auto of_group = std::span(sums_).subspan(g * types_, types_);
    for (uint32_t node = 0; node < parent_.size(); ++node) {
      if (std::ranges::all_of(of_group, [&](const auto& sums) { return sums[node] == 0; }))
        continue;
      key.push_back(node);
      for (size_t t = 0; t < types_; ++t) values[t].push_back(of_group[t][node]);
    }
    rows.push_back(static_cast<uint32_t>(key.size() - begin));
  }
  const std::vector<int64_t> period(groups_.size(), period_);
  RowBlockView view{rows, period, key, {}};
  for (const auto& column : values) view.values.emplace_back(column);
  std::string out;
  put_vcol(out, rows);
  put_str(out, encode_row_block(view, RowForm::plain));
  return out;
}

Result<std::string> RollupBuilder::finish() {
  std::string out;
  out.push_back(static_cast<char>(saturated_ ? kSaturated : 0));
  put_varint(out, names_.size() - 1);
  put_gaps(std::span(names_).subspan(1), out);
  put_varint(out, parent_.size() - 1);
  const RankedEdges edges = rank_edges(parent_, name_, names_.size());
  std::string part;
  encode_edges(edges.successors, part);
  put_str(out, part);
  part.clear();
  HEARTH_RETURN_IF_ERROR(encode_tree(parent_, edges.rank, part));
  put_str(out, part);
  put_svarint(out, period_);
  put_varint(out, groups_.size());
  for (const RollupGroup& g : groups_) {
    put_str(out, g.name);
    put_str(out, g.value);
  }
  return out + encode_rows();
}

namespace {

bool read_names(ByteReader& reader, const StringColumn& strings, Rollup& out) {
  const size_t n = reader.count(limit::kStrings);
  std::vector<uint32_t> gaps;
  if (!read_vcol(reader, n, static_cast<uint32_t>(limit::kStrings), gaps)) return false;
  if (!restore_keys(std::array{static_cast<uint32_t>(n)}, strings.views.size(), gaps)) return false;
  out.names.assign(1, std::string_view());
  for (const uint32_t string : gaps) out.names.push_back(strings.views[string]);
  return true;
}

Status read_tree(ByteReader& reader, Rollup& out) {
  const uint64_t nodes = reader.varint_max(limit::kNodes);
  Successors successors;
  HEARTH_RETURN_IF_ERROR(decode_edges(reader.str(), out.names.size(), successors));
  return decode_tree(reader.str(), nodes, successors, ChildOrder::by_location, out.node_parent,
                     out.node_name);
}

bool read_groups(ByteReader& reader, Rollup& out) {
  const size_t n = reader.count(1 + kRollupLabels * kRollupLabelValues);
  for (size_t g = 0; g < n && reader.ok(); ++g) {
    const std::string_view name = reader.str(limit::kStringBytes);
    const std::string_view value = reader.str(limit::kStringBytes);
    out.groups.push_back({std::string(name), std::string(value)});
    if (g == 0 ? !(name.empty() && value.empty()) : out.groups[g] <= out.groups[g - 1])
      return false;
  }
  return reader.ok() && n > 0;
}

Status read_rows(ByteReader& reader, size_t types, Rollup& out) {
  std::vector<uint32_t> rows;
  if (!read_vcol(reader, out.groups.size(), static_cast<uint32_t>(out.nodes()), rows))
    return damaged("rows of a group");
  uint64_t all = 0;
  for (const uint32_t n : rows) all += n;
  const std::string_view raw = reader.str();
  const std::vector<int64_t> periods(rows.size(), out.period);
  ParsedRowBlock block;
  HEARTH_RETURN_IF_ERROR(parse_row_block(raw, rows.size(), all, types, block));
  if (block.form != RowForm::plain) return damaged("form of the rows");
  DecodedRowBlock decoded;
  HEARTH_RETURN_IF_ERROR(decode_row_block(block, rows, periods, out.nodes(), nullptr, decoded));
  ptrdiff_t row = 0;
  for (const uint32_t n : rows) {
    Rollup::Rows& to = out.rows.emplace_back();
    to.node.assign(decoded.key.begin() + row, decoded.key.begin() + row + n);
    for (const auto& column : decoded.values)
      to.values.emplace_back(column.begin() + row, column.begin() + row + n);
    row += n;
  }
  return {};
}

}  // namespace

Result<Rollup> decode_rollup(std::string_view raw, StringColumn strings, size_t types) {
  ByteReader reader(raw);
  Rollup out;
  const uint8_t flags = reader.u8();
  if (flags > kSaturated) return damaged("unknown flags");
  out.saturated = flags == kSaturated;
  if (!read_names(reader, strings, out)) return damaged("names");
  HEARTH_RETURN_IF_ERROR(read_tree(reader, out));
  out.period = reader.svarint();
  if (!read_groups(reader, out)) return damaged("groups");
  HEARTH_RETURN_IF_ERROR(read_rows(reader, types, out));
  if (!reader.done()) return damaged("bytes left over");
  out.strings = std::move(strings);
  return out;
}

}  // namespace hearth::storage
