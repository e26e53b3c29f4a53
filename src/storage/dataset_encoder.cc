#include "storage/dataset_encoder.h"

#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/row_block.h"
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

RowBlockView view_block(const CanonicalDataset& d, const RowBlockInfo& block) {
  RowBlockView view;
  view.rows = std::span(d.profiles.rows).subspan(block.first_profile, block.profiles);
  view.period = std::span(d.profiles.period).subspan(block.first_profile, block.profiles);
  view.key = std::span(d.row_key).subspan(block.first_row, block.rows);
  for (const auto& values : d.row_values)
    view.values.push_back(std::span(values).subspan(block.first_row, block.rows));
  return view;
}

uint32_t highest(std::span<const uint32_t> keys) {
  uint32_t max = 0;
  for (const uint32_t k : keys) max = std::max(max, k);
  return max;
}

}  // namespace

SectionInput section_input(const CanonicalDataset& dataset) {
  return {dataset.symbols.columns.view(), dataset.symbols.edges, dataset.symbols.keys,
          dataset.series, dataset.profiles};
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
  HEARTH_RETURN_IF_ERROR(encode_series(input.series, list.add(SectionKind::series)));
  HEARTH_RETURN_IF_ERROR(
      encode_profiles(input.profiles, input.series.size(), list.add(SectionKind::profiles)));
  return list.take();
}

Result<EncodedRows> encode_rows(const CanonicalDataset& dataset) {
  EncodedRows out;
  uint64_t row = 0;
  for (size_t p = 0; p < dataset.profiles.size();) {
    RowBlockInfo block =
        summarise_block(dataset.profiles, p, block_length(dataset.profiles.rows, p));
    block.first_row = row;
    block.offset = out.stored.size();
    const RowBlockView view = view_block(dataset, block);
    const std::string raw = encode_row_block(view);
    const std::string stored = zstd_compress(raw, kRowZstdLevel);
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
  return out;
}

}  // namespace hearth::storage
