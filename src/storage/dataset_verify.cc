#include "storage/dataset_verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "storage/dataset_encoder.h"
#include "storage/ranking.h"
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
                      Findings& findings) {
  const KeyList keys = list_keys(symbols);
  const RankedEdges edges =
      rank_edges(symbols.node_parent, symbols.node_location, symbols.location_mapping.size());
  const auto again = encode_sections({symbols.view(), edges, keys, series, profiles});
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

Status verify_block(const SegmentDataset& dataset, const ProfileTable& profiles,
                    const RowBlockInfo& block, std::vector<uint8_t>& key_used, Findings& findings) {
  const auto rows = std::span(profiles.rows).subspan(block.first_profile, block.profiles);
  const auto period = std::span(profiles.period).subspan(block.first_profile, block.profiles);
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, dataset.raw_block(block));
  ParsedRowBlock parsed;
  HEARTH_RETURN_IF_ERROR(parse_row_block(raw, block.rows, profiles.totals.size(), parsed));
  DecodedRowBlock decoded;
  HEARTH_RETURN_IF_ERROR(decode_row_block(parsed, rows, period, key_used.size(), decoded));
  uint32_t highest = 0;
  for (const uint32_t k : decoded.key) {
    key_used[k] = 1;
    highest = std::max(highest, k);
  }
  if (highest != block.highest_key)
    findings.add(fmt::format("highest key is {}; BLKS says {}", highest, block.highest_key));
  verify_totals(profiles, block, decoded, findings);
  RowBlockView view{rows, period, decoded.key, {}};
  for (const auto& values : decoded.values) view.values.emplace_back(values);
  if (encode_row_block(view) != raw) findings.add("row block is not in canonical form");
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
  if (!series) findings.add(series.error().message);
  if (!symbols || !index || !series) return;
  verify_info(dataset.info(), **index, findings);
  verify_canonical(dataset, **symbols, **series, (*index)->profiles, findings);
  std::vector<uint8_t> key_used((*symbols)->key_node.size());
  for (size_t b = 0; b < (*index)->blocks.size(); ++b) {
    const RowBlockInfo& block = (*index)->blocks[b];
    if (const auto status = verify_block(dataset, (*index)->profiles, block, key_used, findings);
        !status) {
      findings.add(fmt::format("block {}: {}", b, status.error().message));
    }
    if (block.profiles != block_length((*index)->profiles.rows, block.first_profile)) {
      findings.add(fmt::format("block {} has another length than a writer gives it", b));
    }
  }
  verify_usage(**symbols, key_used, findings);
}

}  // namespace hearth::storage
