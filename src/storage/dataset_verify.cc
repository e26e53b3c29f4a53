#include "storage/dataset_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <tuple>

#include "storage/dataset_encoder.h"
#include "storage/ranking.h"
#include "storage/rollup_builder.h"
#include "storage/row_block.h"
#include "storage/saturating_sum.h"
#include "storage/symbol_usage.h"

namespace hearth::storage {
namespace {

KeyList list_keys(const OwnedSymbols& s) {
  std::vector<uint32_t> order(s.key_node.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    return std::tie(s.key_node[a], s.key_labels[a]) < std::tie(s.key_node[b], s.key_labels[b]);
  });
  return {gather<uint32_t>(s.key_node, order), gather<uint32_t>(s.key_labels, order),
          gather<uint8_t>(s.key_class, order)};
}

void verify_canonical(const SegmentDataset& dataset, const OwnedSymbols& symbols,
                      std::span<const LabelSet> series, const ProfileTable& profiles,
                      const HeapScales* heap, Findings& findings) {
  const KeyList keys = list_keys(symbols);
  const RankedEdges edges =
      rank_edges(symbols.node_parent, symbols.node_location, symbols.location_mapping.size());
  std::span<const HeapFactor> factors;
  if (heap != nullptr) factors = heap->factors;
  const auto again = encode_sections({symbols.view(), edges, keys, series, profiles, factors});
  if (!again) return findings.add(again.error().message);
  for (const RawSection& section : *again) {
    const auto raw = dataset.raw_section(section.kind);
    if (!raw) {
      findings.add(raw.error().message);
    } else if (*raw != section.bytes) {
      findings.add(fmt::format("{} is not in canonical form", section_name(section.kind)));
    }
  }
}

void verify_usage(const OwnedSymbols& symbols, std::span<const uint8_t> key_used,
                  Findings& findings) {
  if (std::ranges::find(key_used, 0) != key_used.end()) findings.add("a key that no row uses");
  const auto usage = mark_used(symbols.view(), std::vector<uint8_t>(key_used.size(), 1));
  if (!usage) return findings.add(usage.error().message);
  const auto check = [&](const std::vector<uint8_t>& used, const char* table) {
    if (std::ranges::find(used, 0) != used.end())
      findings.add(fmt::format("a {} that nothing uses", table));
  };
  check(usage->strings, "string");
  check(usage->functions, "function");
  check(usage->mappings, "mapping");
  check(usage->locations, "location");
  check(usage->nodes, "node");
  check(usage->label_sets, "label set");
}

/// Sums of the rows of each profile against PROF's totals.
void verify_totals(const ProfileTable& profiles, const RowBlockInfo& block,
                   const DecodedRowBlock& rows, Findings& findings) {
  size_t row = 0;
  for (size_t p = block.first_profile; p < block.first_profile + size_t{block.profiles}; ++p) {
    for (size_t t = 0; t < rows.values.size(); ++t) {
      const int64_t sum = saturating_sum(std::span(rows.values[t]).subspan(row, profiles.rows[p]));
      if (sum == profiles.totals[t][p]) continue;
      findings.add(fmt::format("profile {}: rows of type {} add up to {}; PROF says {}", p, t, sum,
                               profiles.totals[t][p]));
    }
    row += profiles.rows[p];
  }
}

void add_to_rollup(const ProfileTable& profiles, const RowBlockInfo& block,
                   const DecodedRowBlock& rows, RollupBuilder& rollup) {
  size_t row = 0;
  for (size_t p = block.first_profile; p < block.first_profile + size_t{block.profiles}; ++p) {
    const size_t n = profiles.rows[p];
    std::vector<std::span<const int64_t>> values;
    for (const auto& column : rows.values) values.push_back(std::span(column).subspan(row, n));
    rollup.add(profiles.series[p], profiles.period[p], std::span(rows.key).subspan(row, n), values);
    row += n;
  }
}

/// A builder with the labels that the dataset's own rollup has groups for.
std::optional<RollupBuilder> rebuild_rollup(const SegmentDataset& dataset,
                                            const symbols::SymbolTables& tables,
                                            std::span<const LabelSet> series, Findings& findings) {
  if (!dataset.has_rollup()) return std::nullopt;
  const auto rollup = dataset.rollup();
  if (!rollup) {
    findings.add(rollup.error().message);
    return std::nullopt;
  }
  std::vector<std::string> labels;
  for (const RollupGroup& group : (*rollup)->groups) {
    if (!group.name.empty()) labels.push_back(group.name);
  }
  return std::optional<RollupBuilder>(std::in_place, tables, series, std::move(labels),
                                      dataset.info().family.types.size());
}

void verify_rollup(const SegmentDataset& dataset, RollupBuilder& again, Findings& findings) {
  const auto bytes = again.finish();
  const auto raw = dataset.raw_section(SectionKind::roll);
  if (!bytes) findings.add(bytes.error().message);
  if (!raw) findings.add(raw.error().message);
  if (bytes && raw && *bytes != *raw) findings.add("ROLL is not the sum of the rows");
}

/// The keys that side data refers to, checked against the rows as these are read in their order.
class SideKeys {
 public:
  void add(const SideTable& side, uint32_t first_profile) {
    size_t e = 0;
    for (size_t p = 0; p < side.count.size(); ++p) {
      for (const size_t end = e + side.count[p]; e < end; ++e) {
        const uint64_t place = uint64_t{first_profile + p} << 32U | side.entries[e].key;
        if (places_.empty() || places_.back() != place) places_.push_back(place);
      }
    }
  }
  void pass_row(uint64_t profile, uint32_t key) {
    if (next_ < places_.size() && places_[next_] == (profile << 32U | key)) ++next_;
  }
  [[nodiscard]] bool all_passed() const { return next_ == places_.size(); }

 private:
  std::vector<uint64_t> places_;  // Profile and key, ascending.
  size_t next_ = 0;
};

Status verify_side(const SegmentDataset& dataset, const ProfileTable& profiles, SideKeys& keys,
                   Findings& findings) {
  HEARTH_ASSIGN_OR_RETURN(const SideSection section, dataset.side());
  const DatasetInfo& info = dataset.info();
  const size_t types = info.family.types.size();
  SideTable decoded;
  std::vector<uint32_t> count;
  for (const SideBlockInfo& block : section.blocks()) {
    HEARTH_RETURN_IF_ERROR(section.decode(block, profiles, info.keys, types, decoded));
    keys.add(decoded, block.first_profile);
    std::string again;
    encode_side_block(
        {decoded.count, decoded.entries, decoded.values,
         std::span(profiles.start_ns).subspan(block.first_profile, block.profiles), types},
        again);
    HEARTH_ASSIGN_OR_RETURN(const std::string raw, section.raw_block(block));
    if (raw != again) findings.add("a block of SIDE is not in canonical form");
    count.insert(count.end(), decoded.count.begin(), decoded.count.end());
  }
  if (!section.is_cut_as_written(count))
    findings.add("a block of SIDE has another length than a writer gives it");
  return {};
}

Status verify_block(const SegmentDataset& dataset, const ProfileTable& profiles,
                    const RowBlockInfo& block, std::vector<uint8_t>& key_used, SideKeys& side_keys,
                    std::optional<RollupBuilder>& rollup, Findings& findings) {
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, dataset.raw_block(block));
  DecodedRowBlock decoded;
  HEARTH_RETURN_IF_ERROR(dataset.decode_block(raw, profiles, block, decoded));
  uint32_t highest = 0;
  for (const uint32_t k : decoded.key) {
    key_used[k] = 1;
    highest = std::max(highest, k);
  }
  if (highest != block.highest_key)
    findings.add(fmt::format("highest key is {}; BLKS says {}", highest, block.highest_key));
  size_t r = 0;
  for (size_t p = block.first_profile; p < block.first_profile + size_t{block.profiles}; ++p) {
    for (const size_t end = r + profiles.rows[p]; r < end; ++r)
      side_keys.pass_row(p, decoded.key[r]);
  }
  verify_totals(profiles, block, decoded, findings);
  if (rollup) add_to_rollup(profiles, block, decoded, *rollup);
  const RowBlockView view = decoded.view(block.rows_of(profiles), block.periods_of(profiles));
  const auto form = static_cast<RowForm>(raw[0]);
  if (encode_row_block(view, form) != raw) findings.add("row block is not in canonical form");
  const uint64_t rows_max = form == RowForm::plain ? kBlockRows : kChainedBlockRows;
  if (block.profiles != block_length(profiles.rows, block.first_profile, rows_max))
    findings.add("row block has another length than a writer gives it");
  return {};
}

void verify_info(const DatasetInfo& info, const ProfileIndex& index, Findings& findings) {
  const ProfileTable& p = index.profiles;
  if (p.size() == 0) return findings.add("no profiles");
  const auto [t_min, t_max] = std::ranges::minmax(p.start_ns);
  if (t_min != info.t_min_ns || t_max != info.t_max_ns)
    findings.add("times differ from the directory's");
  const auto rows = std::accumulate(p.rows.begin(), p.rows.end(), uint64_t{0});
  if (rows != info.rows)
    findings.add(fmt::format("{} rows; the directory says {}", rows, info.rows));
  for (size_t t = 0; t < p.totals.size(); ++t) {
    const int64_t total = saturating_sum(p.totals[t]);
    if (total == info.totals[t]) continue;
    findings.add(
        fmt::format("total of type {} is {}; the directory says {}", t, total, info.totals[t]));
  }
}

}  // namespace

void verify_dataset(const SegmentDataset& dataset, Findings& findings) {
  const auto symbols = dataset.owned_symbols();
  const auto index = dataset.profile_index();
  const auto series = dataset.series();
  if (!symbols) findings.add(symbols.error().message);
  if (!index) findings.add(index.error().message);
  const auto heap = dataset.heap_scales();
  if (!series) findings.add(series.error().message);
  if (!heap) findings.add(heap.error().message);
  if (!symbols || !index || !series || !heap) return;
  verify_info(dataset.info(), **index, findings);
  verify_canonical(dataset, **symbols, **series, (*index)->profiles, heap->get(), findings);
  std::vector<uint8_t> key_used((*symbols)->key_node.size());
  const symbols::SymbolTables tables = (*symbols)->view();
  std::optional<RollupBuilder> rollup = rebuild_rollup(dataset, tables, **series, findings);
  SideKeys side_keys;
  const Status side = verify_side(dataset, (*index)->profiles, side_keys, findings);
  if (!side) findings.add(side.error().message);
  for (size_t b = 0; b < (*index)->blocks.size(); ++b) {
    const RowBlockInfo& block = (*index)->blocks[b];
    const auto status =
        verify_block(dataset, (*index)->profiles, block, key_used, side_keys, rollup, findings);
    if (!status) findings.add(fmt::format("block {}: {}", b, status.error().message));
  }
  verify_usage(**symbols, key_used, findings);
  if (!side_keys.all_passed()) findings.add("SIDE has an entry for a row that is not there");
  if (rollup) verify_rollup(dataset, *rollup, findings);
}

}  // namespace hearth::storage
