#include "storage/cover_builder.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "storage/rollup_builder.h"
#include "storage/segment_format.h"
#include "storage/series_section.h"
#include "storage/string_section.h"
#include "symbols/symbol_tables.h"

namespace hearth::storage {
namespace {

void unite(std::span<const LabelSet> more, std::vector<LabelSet>& series) {
  std::vector<LabelSet> all;
  all.reserve(series.size() + more.size());
  std::ranges::set_union(series, more, std::back_inserter(all));
  series = std::move(all);
}

std::vector<uint32_t> numbers(size_t n) {
  std::vector<uint32_t> out(n);
  std::iota(out.begin(), out.end(), 0U);
  return out;
}

// Whether the format is at fault, not the bytes: a cover is left out then.
bool is_too_large(const Error& error) {
  return error.code == ErrorCode::too_large;
}

}  // namespace

uint32_t CoverBuilder::intern(std::string_view name) {
  const auto found = number_.find(name);
  if (found != number_.end()) return found->second;
  texts_.emplace_back(name);
  const auto number = static_cast<uint32_t>(texts_.size());
  number_.emplace(texts_.back(), number);
  return number;
}

void CoverBuilder::add(const Rollup& part, std::span<const LabelSet> series) {
  period_ = parts_ == 0 || period_ == part.period ? part.period : 0;
  ++parts_;
  given_up_ = given_up_ || part.saturated;
  if (given_up_) return;
  unite(series, series_);
  std::vector<uint32_t> name_of(part.names.size());
  for (size_t n = 1; n < name_of.size(); ++n) name_of[n] = intern(part.names[n]);
  std::vector<uint32_t> node_of(part.nodes());
  for (size_t n = 1; n < node_of.size(); ++n) {
    node_of[n] = tree_.find_or_add(node_of[part.node_parent[n]], name_of[part.node_name[n]]);
  }
  given_up_ = tree_.size() > nodes_max_ || series_.size() > limit::kSeries;
  if (!given_up_) add_values(part, node_of);
}

void CoverBuilder::add_values(const Rollup& part, std::span<const uint32_t> node_of) {
  const Rollup::Rows& all_series = part.rows.front();
  for (size_t t = 0; t < self_.size(); ++t) {
    self_[t].resize(tree_.size());
    for (size_t i = 0; i < all_series.node.size(); ++i) {
      int64_t& sum = self_[t][node_of[all_series.node[i]]];
      given_up_ |= __builtin_add_overflow(sum, all_series.values[t][i], &sum);
    }
  }
}

// A dataset whose locations are names and whose only profile is the sum: its rollup is the cover.
Result<std::string> CoverBuilder::encode_roll(std::span<const std::string_view> strings) const {
  const size_t names = texts_.size();
  std::vector<uint32_t> string_of;
  for (const std::string& text : texts_) {
    const auto at = std::ranges::lower_bound(strings, std::string_view(text));
    string_of.push_back(static_cast<uint32_t>(at - strings.begin()));
  }
  const std::vector<uint32_t> identity = numbers(std::max(names, tree_.size()));
  std::vector<uint32_t> line_begin = {0};  // Location 0 has no line, each other one has one.
  line_begin.insert(line_begin.end(), identity.begin(),
                    identity.begin() + static_cast<ptrdiff_t>(names));
  line_begin.push_back(static_cast<uint32_t>(names));
  symbols::SymbolTables tables;
  tables.strings = strings;
  tables.function_name = string_of;
  tables.line_begin = line_begin;
  tables.line_function = std::span(identity).first(names);
  const std::vector<uint32_t> parent = tree_.parents();
  const std::vector<uint32_t> location = tree_.labels();
  tables.node_parent = parent;
  tables.node_location = location;
  tables.key_node = std::span(identity).first(tree_.size());
  const std::vector<LabelSet> any(1);
  RollupBuilder builder(tables, any, {}, self_.size());
  std::vector<std::span<const int64_t>> values;
  for (const auto& of_type : self_) values.emplace_back(of_type);
  builder.add(0, period_, tables.key_node, values);
  return builder.finish();
}

Result<std::optional<CoverSections>> CoverBuilder::finish() const {
  if (parts_ < 2 || given_up_) return std::nullopt;
  std::vector<std::string_view> strings = {""};
  for (const std::string& text : texts_) {
    if (!text.empty()) strings.emplace_back(text);
  }
  std::ranges::sort(strings);
  CoverSections out;
  auto roll = encode_roll(strings);
  if (!roll && is_too_large(roll.error())) return std::nullopt;
  if (!roll) return tl::unexpected(std::move(roll).error());
  out.roll = *std::move(roll);
  for (const Status& encoded :
       {encode_strings(strings, out.strings), encode_series(series_, out.series)}) {
    if (!encoded && is_too_large(encoded.error())) return std::nullopt;
    HEARTH_RETURN_IF_ERROR(encoded);
  }
  return out;
}

}  // namespace hearth::storage
