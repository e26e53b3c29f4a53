#include "storage/segment_dataset.h"

#include <fmt/format.h>

#include <algorithm>

#include "storage/key_sections.h"
#include "storage/label_bloom.h"
#include "storage/rollup_builder.h"
#include "storage/row_adder.h"
#include "storage/section_codec.h"
#include "storage/series_section.h"
#include "storage/symbol_sections.h"
#include "storage/tree_sections.h"

namespace hearth::storage {
namespace {

/// Blocks whose gap is smaller are fetched together, up to a run of this many bytes.
constexpr uint64_t kGapBytes = 64U << 10U;
/// What may be read in vain to save a request to a remote bucket.
constexpr uint64_t kPrefetchGapBytes = 256U << 10U;
constexpr uint64_t kRunBytes = 8U << 20U;

/// The part of `chosen` (ascending) that lies in [first, first + count).
std::span<const uint32_t> chosen_within(std::span<const uint32_t> chosen, uint32_t first,
                                        uint32_t count) {
  const auto begin = std::ranges::lower_bound(chosen, first);
  const auto end = std::ranges::lower_bound(begin, chosen.end(), first + count);
  return {begin, end};
}

std::span<const uint32_t> chosen_in_block(std::span<const uint32_t> chosen,
                                          const RowBlockInfo& block) {
  return chosen_within(chosen, block.first_profile, block.profiles);
}

}  // namespace

/// Neighbouring sections fetched by one read.
class SegmentDataset::Range {
 public:
  Range(const DatasetEntry& entry, SharedBytes bytes, uint64_t offset)
      : entry_(&entry), bytes_(std::move(bytes)), offset_(offset) {}

  [[nodiscard]] Result<std::string> section(SectionKind kind) const {
    const SectionEntry* s = entry_->find(kind);
    if (s == nullptr || s->offset < offset_ ||
        s->offset - offset_ + s->stored > bytes_.view.size()) {
      return section_damaged(kind, "missing or out of order");
    }
    std::string raw;
    HEARTH_RETURN_IF_ERROR(load_section(bytes_.view.substr(s->offset - offset_, s->stored),
                                        s->codec, s->raw, s->crc, section_name(kind), raw));
    return raw;
  }

 private:
  const DatasetEntry* entry_;
  SharedBytes bytes_;
  uint64_t offset_;
};

size_t ProfileIndex::memory_bytes() const {
  return profiles.memory_bytes() + blocks.size() * (sizeof(RowBlockInfo) + sizeof(uint32_t) +
                                                    profiles.totals.size() * sizeof(int64_t));
}

bool SegmentDataset::has_rollup() const {
  return entry_.find(SectionKind::roll) != nullptr;
}

Result<std::shared_ptr<const Rollup>> SegmentDataset::load_rollup() const {
  HEARTH_ASSIGN_OR_RETURN(const Range range, read_range(SectionKind::roll, SectionKind::strings));
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, range.section(SectionKind::roll));
  HEARTH_ASSIGN_OR_RETURN(StringColumn strings, load_strings(range));
  HEARTH_ASSIGN_OR_RETURN(Rollup rollup,
                          decode_rollup(raw, std::move(strings), entry_.info.family.types.size()));
  return std::make_shared<const Rollup>(std::move(rollup));
}

Result<std::shared_ptr<const Rollup>> SegmentDataset::rollup() const {
  if (!has_rollup()) return std::shared_ptr<const Rollup>();
  auto rollup = load_rollup();
  if (!rollup) return in_context(std::move(rollup).error());
  return rollup;
}

bool SegmentDataset::may_have_label(std::string_view name, std::string_view value) const {
  // A label that is absent reads as the empty value, and the filter knows nothing of absence.
  return value.empty() || bloom_may_contain(label_bloom_, name, value);
}

tl::unexpected<Error> SegmentDataset::in_context(Error error) const {
  error.message = fmt::format("{}: {}", name_, error.message);
  return tl::unexpected(std::move(error));
}

Status SegmentDataset::check_sections() const {
  for (const SectionEntry& s : entry_.sections) {
    if (static_cast<uint8_t>(s.kind) >= 128 && !is_known_section(s.kind)) {
      return section_damaged(s.kind, "a required section that this version does not know");
    }
  }
  return {};
}

Result<SegmentDataset::Range> SegmentDataset::read_range(SectionKind first,
                                                         SectionKind last) const {
  HEARTH_RETURN_IF_ERROR(check_sections());
  const SectionEntry* a = entry_.find(first);
  const SectionEntry* b = entry_.find(last);
  if (a == nullptr || b == nullptr || b->offset < a->offset)
    return section_damaged(first, "missing or out of order");
  HEARTH_ASSIGN_OR_RETURN(SharedBytes bytes,
                          object_.read(a->offset, b->offset + b->stored - a->offset));
  return Range(entry_, std::move(bytes), a->offset);
}

// Labels that stand near are worth no request of their own.
void SegmentDataset::prefetch_rollup() const {
  const SectionEntry* const strings = entry_.find(SectionKind::strings);
  const SectionEntry* const series = entry_.find(SectionKind::series);
  const bool near = strings != nullptr && series != nullptr && series->offset > strings->offset &&
                    series->offset - strings->offset - strings->stored <= kPrefetchGapBytes;
  prefetch_sections(SectionKind::roll, near ? SectionKind::series : SectionKind::strings);
  if (!near) prefetch_sections(SectionKind::series, SectionKind::series);
}

void SegmentDataset::prefetch_sections(SectionKind from, SectionKind to) const {
  const SectionEntry* first = entry_.find(from);
  const SectionEntry* last = entry_.find(to);
  if (first == nullptr || last == nullptr || last->offset < first->offset) return;
  object_.prefetch(first->offset, last->offset + last->stored - first->offset);
}

void SegmentDataset::prefetch(Part part) const {
  switch (part) {
    case Part::profiles:
      return prefetch_sections(SectionKind::series, SectionKind::blocks);
    case Part::rows:
      return prefetch_sections(SectionKind::strings, SectionKind::rows);
    case Part::rows_of_a_range:
      return prefetch_sections(SectionKind::strings, SectionKind::blocks);
    case Part::rollup:
      return prefetch_rollup();
    case Part::side:
      prefetch_sections(SectionKind::strings, SectionKind::blocks);
      return prefetch_sections(SectionKind::side, SectionKind::side);
  }
}

Result<std::string> SegmentDataset::raw_section(SectionKind kind) const {
  HEARTH_ASSIGN_OR_RETURN(const Range range, read_range(kind, kind));
  return range.section(kind);
}

Result<std::string> SegmentDataset::raw_block(const RowBlockInfo& block) const {
  const SectionEntry* rows = entry_.find(SectionKind::rows);
  if (rows == nullptr) return section_damaged(SectionKind::rows, "missing");
  HEARTH_ASSIGN_OR_RETURN(const SharedBytes stored,
                          object_.read(rows->offset + block.offset, block.stored));
  std::string raw;
  HEARTH_RETURN_IF_ERROR(
      load_section(stored.view, SectionCodec::zstd, block.raw, block.crc, "row block", raw));
  return raw;
}

Status SegmentDataset::decode_block(std::string_view raw, const ProfileTable& profiles,
                                    const RowBlockInfo& block, DecodedRowBlock& out) const {
  ParsedRowBlock parsed;
  HEARTH_RETURN_IF_ERROR(
      parse_row_block(raw, block.profiles, block.rows, profiles.totals.size(), parsed));
  std::shared_ptr<const HeapScales> heap;
  if (parsed.form == RowForm::heap) {
    HEARTH_ASSIGN_OR_RETURN(heap, heap_scales());
  }
  return decode_row_block(parsed, block.rows_of(profiles), block.periods_of(profiles),
                          entry_.info.keys, heap.get(), out);
}

Status SegmentDataset::visit_rows(const std::function<Status(const RowRun&)>& visit) const {
  auto index = profile_index();
  if (!index) return in_context(std::move(index).error());
  const ProfileTable& profiles = (*index)->profiles;
  DecodedRowBlock decoded;
  for (const RowBlockInfo& block : (*index)->blocks) {
    auto raw = raw_block(block);
    if (!raw) return in_context(std::move(raw).error());
    if (auto status = decode_block(*raw, profiles, block, decoded); !status) {
      return in_context(std::move(status).error());
    }
    RowRun run{block.first_profile, block.rows_of(profiles), decoded.key, {}};
    for (const auto& values : decoded.values) run.values.emplace_back(values);
    HEARTH_RETURN_IF_ERROR(visit(run));
  }
  return {};
}

Result<StringColumn> SegmentDataset::load_strings(const Range& range) const {
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, range.section(SectionKind::strings));
  ByteReader reader(raw);
  StringColumn strings;
  HEARTH_RETURN_IF_ERROR(decode_strings(reader, strings));
  if (!reader.done()) return section_damaged(SectionKind::strings, "bytes left over");
  return strings;
}

Result<std::shared_ptr<const OwnedSymbols>> SegmentDataset::owned_symbols() const {
  HEARTH_ASSIGN_OR_RETURN(const Range range, read_range(SectionKind::strings, SectionKind::keys));
  auto out = std::make_shared<OwnedSymbols>();
  HEARTH_ASSIGN_OR_RETURN(out->strings, load_strings(range));
  HEARTH_ASSIGN_OR_RETURN(const std::string functions, range.section(SectionKind::functions));
  HEARTH_RETURN_IF_ERROR(decode_functions(functions, *out));
  HEARTH_ASSIGN_OR_RETURN(const std::string mappings, range.section(SectionKind::mappings));
  HEARTH_RETURN_IF_ERROR(decode_mappings(mappings, *out));
  HEARTH_ASSIGN_OR_RETURN(const std::string locations, range.section(SectionKind::locations));
  HEARTH_RETURN_IF_ERROR(decode_locations(locations, *out));
  HEARTH_ASSIGN_OR_RETURN(const std::string edges, range.section(SectionKind::edges));
  Successors successors;
  HEARTH_RETURN_IF_ERROR(decode_edges(edges, out->location_mapping.size(), successors));
  HEARTH_ASSIGN_OR_RETURN(const std::string tree, range.section(SectionKind::tree));
  HEARTH_RETURN_IF_ERROR(decode_tree(tree, entry_.info.nodes, successors, ChildOrder::by_edge,
                                     out->node_parent, out->node_location));
  HEARTH_ASSIGN_OR_RETURN(const std::string classes, range.section(SectionKind::classes));
  HEARTH_ASSIGN_OR_RETURN(const std::string keys, range.section(SectionKind::keys));
  HEARTH_RETURN_IF_ERROR(decode_keys(classes, keys, entry_.info.keys, *out));
  return out;
}

Result<std::shared_ptr<const symbols::SymbolTables>> SegmentDataset::symbols() const {
  auto owned = owned_symbols();
  if (!owned) return in_context(std::move(owned).error());
  return share_tables(std::move(*owned));
}

Result<std::shared_ptr<const std::vector<LabelSet>>> SegmentDataset::load_series() const {
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, raw_section(SectionKind::series));
  auto series = std::make_shared<std::vector<LabelSet>>();
  HEARTH_RETURN_IF_ERROR(decode_series(raw, entry_.info.series, *series));
  return series;
}

Result<std::shared_ptr<const std::vector<LabelSet>>> SegmentDataset::series() const {
  auto part = series_.get(budget_, [this] { return load_series(); }, series_memory_bytes);
  if (!part) return in_context(std::move(part).error());
  return part;
}

Result<std::shared_ptr<const HeapScales>> SegmentDataset::load_heap_scales() const {
  HEARTH_ASSIGN_OR_RETURN(const Range range, read_range(SectionKind::classes, SectionKind::heap));
  HEARTH_ASSIGN_OR_RETURN(const std::string classes, range.section(SectionKind::classes));
  HEARTH_ASSIGN_OR_RETURN(const std::string keys, range.section(SectionKind::keys));
  HEARTH_ASSIGN_OR_RETURN(const std::string heap, range.section(SectionKind::heap));
  auto scales = std::make_shared<HeapScales>();
  HEARTH_RETURN_IF_ERROR(decode_heap(heap, classes, keys, entry_.info.keys, *scales));
  return scales;
}

Result<std::shared_ptr<const HeapScales>> SegmentDataset::heap_scales() const {
  if (entry_.find(SectionKind::heap) == nullptr) return std::shared_ptr<const HeapScales>();
  return heap_.get(
      budget_, [this] { return load_heap_scales(); },
      [](const HeapScales& s) { return s.memory_bytes(); });
}

Result<std::shared_ptr<const ProfileIndex>> SegmentDataset::load_profile_index() const {
  HEARTH_ASSIGN_OR_RETURN(const Range range,
                          read_range(SectionKind::profiles, SectionKind::blocks));
  const DatasetInfo& info = entry_.info;
  auto index = std::make_shared<ProfileIndex>();
  HEARTH_ASSIGN_OR_RETURN(const std::string profiles, range.section(SectionKind::profiles));
  HEARTH_RETURN_IF_ERROR(decode_profiles(profiles, info.profiles, info.series,
                                         info.family.types.size(), index->profiles));
  HEARTH_ASSIGN_OR_RETURN(const std::string blocks, range.section(SectionKind::blocks));
  const SectionEntry* rows = entry_.find(SectionKind::rows);
  if (rows == nullptr) return section_damaged(SectionKind::rows, "missing");
  HEARTH_RETURN_IF_ERROR(
      decode_blocks(blocks, index->profiles, info.keys, rows->stored, index->blocks));
  for (const RowBlockInfo& block : index->blocks) index->block_first.push_back(block.first_profile);
  return index;
}

Result<std::shared_ptr<const ProfileIndex>> SegmentDataset::profile_index() const {
  return index_.get(
      budget_, [this] { return load_profile_index(); },
      [](const ProfileIndex& i) { return i.memory_bytes(); });
}

Result<std::shared_ptr<const ProfileColumns>> SegmentDataset::profiles() const {
  auto index = profile_index();
  if (!index) return in_context(std::move(index).error());
  // The columns live in the index: an aliasing pointer keeps all of it.
  return share_profiles(std::shared_ptr<const ProfileTable>(*index, &(*index)->profiles),
                        (*index)->block_first);
}

bool SegmentDataset::has_side() const {
  return entry_.find(SectionKind::side) != nullptr;
}

Result<SideSection> SegmentDataset::side() const {
  if (!has_side()) return SideSection();
  HEARTH_ASSIGN_OR_RETURN(std::string bytes, raw_section(SectionKind::side));
  return SideSection::open(std::move(bytes), entry_.info.profiles);
}

Status SegmentDataset::add_side(const ProfileTable& profiles, std::span<const uint32_t> chosen,
                                size_t type, const SideSelector& selector,
                                std::span<int64_t> by_key) const {
  HEARTH_ASSIGN_OR_RETURN(const SideSection section, side());
  const size_t types = entry_.info.family.types.size();
  SideTable decoded;
  for (const SideBlockInfo& block : section.blocks()) {
    const auto in_block = chosen_within(chosen, block.first_profile, block.profiles);
    if (in_block.empty()) continue;
    HEARTH_RETURN_IF_ERROR(section.decode(block, profiles, entry_.info.keys, types, decoded));
    size_t entry = 0;
    uint32_t p = 0;
    for (const uint32_t profile : in_block) {
      for (; p < profile - block.first_profile; ++p) entry += decoded.count[p];
      add_side_values(decoded, entry, entry + decoded.count[p], types, type, selector, by_key);
    }
  }
  return {};
}

Status SegmentDataset::add_side_rows(std::span<const uint32_t> chosen, size_t type,
                                     const SideSelector& selector,
                                     std::span<int64_t> by_key) const {
  const auto index = profile_index();
  if (!index) return in_context(index.error());
  if (type >= entry_.info.family.types.size() || by_key.size() != entry_.info.keys) {
    return in_context({ErrorCode::internal,
                       "add side rows: no such sample type, or an accumulator of another size"});
  }
  Status added = add_side((*index)->profiles, chosen, type, selector, by_key);
  if (!added) return in_context(std::move(added).error());
  return {};
}

Status SegmentDataset::add_block_run(const ProfileIndex& index, size_t first, size_t last,
                                     std::span<const uint32_t> chosen, size_t type,
                                     std::span<int64_t> by_key, RowAdder& adder) const {
  const uint64_t begin = index.blocks[first].offset;
  const uint64_t end = index.blocks[last].offset + index.blocks[last].stored;
  HEARTH_ASSIGN_OR_RETURN(
      const SharedBytes run,
      object_.read(entry_.find(SectionKind::rows)->offset + begin, end - begin));
  const ProfileTable& p = index.profiles;
  for (size_t b = first; b <= last; ++b) {
    const RowBlockInfo& block = index.blocks[b];
    const auto in_block = chosen_in_block(chosen, block);
    if (in_block.empty()) continue;
    HEARTH_RETURN_IF_ERROR(load_section(run.view.substr(block.offset - begin, block.stored),
                                        SectionCodec::zstd, block.raw, block.crc, "row block",
                                        adder.raw));
    HEARTH_RETURN_IF_ERROR(
        parse_row_block(adder.raw, block.profiles, block.rows, p.totals.size(), adder.parsed));
    if (adder.parsed.form == RowForm::heap && adder.heap == nullptr) {
      HEARTH_ASSIGN_OR_RETURN(adder.heap, heap_scales());
    }
    HEARTH_RETURN_IF_ERROR(adder.add(adder.parsed, type, block.first_profile, block.rows_of(p),
                                     block.periods_of(p), in_block, by_key));
  }
  return {};
}

Status SegmentDataset::add_rows(std::span<const uint32_t> chosen, size_t type,
                                std::span<int64_t> by_key) const {
  auto index = profile_index();
  if (!index) return in_context(std::move(index).error());
  const std::vector<RowBlockInfo>& blocks = (*index)->blocks;
  if (type >= entry_.info.family.types.size() || by_key.size() != entry_.info.keys) {
    return in_context(
        {ErrorCode::internal, "add rows: no such sample type, or an accumulator of another size"});
  }
  RowAdder adder;
  for (size_t b = 0; b < blocks.size();) {
    if (chosen_in_block(chosen, blocks[b]).empty()) {
      ++b;
      continue;
    }
    size_t last = b;
    for (size_t next = b + 1; next < blocks.size(); ++next) {
      const uint64_t end = blocks[last].offset + blocks[last].stored;
      if (blocks[next].offset - end > kGapBytes ||
          blocks[next].offset - blocks[b].offset > kRunBytes)
        break;
      if (!chosen_in_block(chosen, blocks[next]).empty()) last = next;
    }
    if (auto added = add_block_run(**index, b, last, chosen, type, by_key, adder); !added) {
      return in_context(std::move(added).error());
    }
    b = last + 1;
  }
  return {};
}

}  // namespace hearth::storage
