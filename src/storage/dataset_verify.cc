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

Status verify_block(const SegmentDataset& dataset, const ProfileTable& profiles,
                    const RowBlockInfo& block, std::vector<uint8_t>& key_used,
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
  for (size_t b = 0; b < (*index)->blocks.size(); ++b) {
    const RowBlockInfo& block = (*index)->blocks[b];
    const auto status =
        verify_block(dataset, (*index)->profiles, block, key_used, rollup, findings);
    if (!status) findings.add(fmt::format("block {}: {}", b, status.error().message));
  }
  verify_usage(**symbols, key_used, findings);
  if (rollup) verify_rollup(dataset, *rollup, findings);
}

}  // namespace hearth::storage
