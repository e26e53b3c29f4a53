#include "storage/dataset_encoder.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/heap_rows.h"
#include "storage/row_block.h"
#include "storage/row_chain.h"
#include "storage/series_section.h"
#include "storage/symbol_sections.h"

namespace hearth::storage {
namespace {

class SectionList {
 public:
  std::string& add(SectionKind kind) { return sections_.emplace_back(RawSection{kind, {}}).bytes; }
  std::vector<RawSection> take() { return std::move(sections_); }

 private:
  std::vector<RawSection> sections_;
};

template <class T>
std::span<const T> rows_of(const std::vector<T>& column, const RowBlockInfo& block) {
  return std::span(column).subspan(block.first_row, block.rows);
}

RowBlockView view_block(const CanonicalDataset& d, const HeapRows* heap,
                        const RowBlockInfo& block) {
  RowBlockView view;
  view.rows = block.rows_of(d.profiles);
  view.period = block.periods_of(d.profiles);
  view.key = rows_of(d.row_key, block);
  for (const auto& values : d.row_values) view.values.push_back(rows_of(values, block));
  if (heap == nullptr) return view;
  view.allocs = rows_of(heap->allocs, block);
  view.frees = rows_of(heap->frees, block);
  view.verbatim = rows_of(heap->verbatim, block);
  return view;
}

bool has_zero_row(const RowBlockView& view) {
  for (size_t row = 0; row < view.key.size(); ++row) {
    if (std::ranges::all_of(view.values, [&](const auto& column) { return column[row] == 0; }))
      return true;
  }
  return false;
}

/// True when less than half of a sample of the rows differ from the profile before. Profiles of
/// what happened in an interval differ nearly everywhere; reports of counters do not.
bool prefers_chain(const RowBlockView& view) {
  constexpr size_t kSampled = 16;
  const ChainView chain{view.rows, view.key, view.values, {}};
  size_t rows = 0;
  size_t changes = 0;
  size_t before = 0;
  size_t at = 0;
  for (size_t p = 0; p < std::min(kSampled, view.rows.size()); ++p) {
    const size_t end = at + view.rows[p];
    if (p > 0) {
      rows += view.rows[p];
      changes += count_changes(chain, before, at, end);
    }
    before = at;
    at = end;
  }
  return 2 * changes < rows;
}

/// Form and extent of the block that begins at `first`.
std::pair<RowForm, RowBlockInfo> choose_block(const CanonicalDataset& d, const HeapRows* heap,
                                              size_t first, uint64_t first_row) {
  const auto block = [&](uint64_t rows_max) {
    RowBlockInfo info =
        summarise_block(d.profiles, first, block_length(d.profiles.rows, first, rows_max));
    info.first_row = first_row;
    return info;
  };
  if (heap != nullptr) return {RowForm::heap, block(kChainedBlockRows)};
  RowBlockInfo plain = block(kBlockRows);
  if (!prefers_chain(view_block(d, nullptr, plain))) return {RowForm::plain, std::move(plain)};
  RowBlockInfo chained = block(kChainedBlockRows);
  if (has_zero_row(view_block(d, nullptr, chained))) return {RowForm::plain, std::move(plain)};
  return {RowForm::chained, std::move(chained)};
}

/// Plain rows gain nothing by a higher level; changes do, and they are few.
int row_zstd_level(RowForm form, uint8_t level) {
  if (form == RowForm::plain) return kRowZstdLevel;
  return std::max(zstd_level(level), kSymbolZstdLevel);
}

uint32_t highest(std::span<const uint32_t> keys) {
  uint32_t max = 0;
  for (const uint32_t k : keys) max = std::max(max, k);
  return max;
}

}  // namespace

SectionInput section_input(const CanonicalDataset& dataset, std::span<const HeapFactor> heap) {
  return {dataset.symbols.columns.view(),
          dataset.symbols.edges,
          dataset.symbols.keys,
          dataset.series,
          dataset.profiles,
          heap};
}

Result<std::vector<RawSection>> encode_sections(const SectionInput& input) {
  const symbols::SymbolTables& t = input.tables;
  SectionList list;
  HEARTH_RETURN_IF_ERROR(encode_strings(t.strings, list.add(SectionKind::strings)));
  HEARTH_RETURN_IF_ERROR(encode_functions(t, list.add(SectionKind::functions)));
  HEARTH_RETURN_IF_ERROR(encode_mappings(t, list.add(SectionKind::mappings)));
  HEARTH_RETURN_IF_ERROR(encode_locations(t, list.add(SectionKind::locations)));
  encode_edges(input.edges.successors, list.add(SectionKind::edges));
  HEARTH_RETURN_IF_ERROR(encode_tree(t.node_parent, input.edges.rank, list.add(SectionKind::tree)));
  encode_classes(input.keys, t.nodes() - 1, list.add(SectionKind::classes));
  HEARTH_RETURN_IF_ERROR(encode_keys(input.keys, t, list.add(SectionKind::keys)));
  if (!input.heap.empty())
    HEARTH_RETURN_IF_ERROR(encode_heap(input.heap, t, list.add(SectionKind::heap)));
  HEARTH_RETURN_IF_ERROR(encode_series(input.series, list.add(SectionKind::series)));
  HEARTH_RETURN_IF_ERROR(
      encode_profiles(input.profiles, input.series.size(), list.add(SectionKind::profiles)));
  return list.take();
}

Result<EncodedRows> encode_rows(const CanonicalDataset& dataset, uint8_t level) {
  EncodedRows out;
  std::optional<HeapRows> heap = unscale_rows(dataset);
  uint64_t row = 0;
  for (size_t p = 0; p < dataset.profiles.size();) {
    auto [form, block] = choose_block(dataset, heap ? &*heap : nullptr, p, row);
    block.offset = out.stored.size();
    const RowBlockView view = view_block(dataset, heap ? &*heap : nullptr, block);
    const std::string raw = encode_row_block(view, form);
    const std::string stored = zstd_compress(raw, row_zstd_level(form, level));
    block.highest_key = highest(view.key);
    block.raw = static_cast<uint32_t>(raw.size());
    block.stored = static_cast<uint32_t>(stored.size());
    block.crc = crc32c(stored);
    out.stored += stored;
    if (out.stored.size() > limit::kSectionBytes)
      return section_too_large(SectionKind::rows, "more than 1 GiB of rows");
    p += block.profiles;
    row += block.rows;
    out.blocks.push_back(std::move(block));
  }
  if (heap) out.heap = std::move(heap->factors);
  return out;
}

}  // namespace hearth::storage
