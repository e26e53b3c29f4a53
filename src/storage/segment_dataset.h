#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/object_store.h"
#include "storage/block_section.h"
#include "storage/cached_part.h"
#include "storage/dataset.h"
#include "storage/owned_symbols.h"
#include "storage/rollup.h"
#include "storage/row_block.h"
#include "storage/segment_directory.h"
#include "storage/side_section.h"

namespace hearth::storage {

/// PROF and BLKS decoded: what selects profiles and finds their rows.
struct ProfileIndex {
  ProfileTable profiles;
  std::vector<RowBlockInfo> blocks;
  std::vector<uint32_t> block_first;  ///< First profile of each block.
  [[nodiscard]] size_t memory_bytes() const;
};

/// One dataset of a segment. Reads sections by range when asked; keeps series and profile columns
/// decoded where they are small, symbols never (the query engine caches them by symbols_id()).
/// Lives inside its SegmentReader.
class SegmentDataset final : public Dataset {
 public:
  /// Everything borrowed outlives the dataset. `name` is for errors.
  SegmentDataset(const ObjectReader& object, const DatasetEntry& entry,
                 std::string_view label_bloom, Id128 symbols_id, CacheBudget& budget,
                 std::string name)
      : object_(object),
        entry_(entry),
        label_bloom_(label_bloom),
        symbols_id_(symbols_id),
        budget_(budget),
        name_(std::move(name)) {}

  [[nodiscard]] const DatasetInfo& info() const override { return entry_.info; }
  [[nodiscard]] bool may_have_label(std::string_view name, std::string_view value) const override;
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> series() const override;
  [[nodiscard]] Result<std::shared_ptr<const ProfileColumns>> profiles() const override;
  [[nodiscard]] Result<std::shared_ptr<const symbols::SymbolTables>> symbols() const override;
  [[nodiscard]] bool decodes_symbols() const override { return true; }
  [[nodiscard]] Status add_rows(std::span<const uint32_t> chosen, size_t type,
                                std::span<int64_t> by_key) const override;
  [[nodiscard]] bool has_side() const override;
  [[nodiscard]] Status add_side_rows(std::span<const uint32_t> chosen, size_t type,
                                     const SideSelector& selector,
                                     std::span<int64_t> by_key) const override;
  [[nodiscard]] Status visit_rows(const std::function<Status(const RowRun&)>& visit) const override;
  [[nodiscard]] bool has_rollup() const override;
  [[nodiscard]] Result<std::shared_ptr<const Rollup>> rollup() const override;
  [[nodiscard]] Cover cover() const override { return cover_; }
  void prefetch(Part part) const override;
  void prefetch_rollup() const override;
  [[nodiscard]] uint64_t stored_bytes() const override { return entry_.stored_bytes(); }
  [[nodiscard]] Id128 symbols_id() const override { return symbols_id_; }

  /// Before the dataset is shared.
  void set_cover(Cover cover) { cover_ = cover; }

  // For verify and inspect.
  [[nodiscard]] const DatasetEntry& entry() const { return entry_; }
  [[nodiscard]] Result<std::shared_ptr<const OwnedSymbols>> owned_symbols() const;
  [[nodiscard]] Result<std::shared_ptr<const ProfileIndex>> profile_index() const;
  /// Scales of the heap form; nullptr when the dataset has no HEAP.
  [[nodiscard]] Result<std::shared_ptr<const HeapScales>> heap_scales() const;
  /// Checked and decompressed bytes of one section; `data_loss` when the dataset has none of that
  /// kind.
  [[nodiscard]] Result<std::string> raw_section(SectionKind kind) const;
  /// SIDE; without blocks when the dataset has none.
  [[nodiscard]] Result<SideSection> side() const;
  /// Checked and decompressed bytes of one row block.
  [[nodiscard]] Result<std::string> raw_block(const RowBlockInfo& block) const;
  /// Keys and values of one row block; `raw` is its raw_block().
  [[nodiscard]] Status decode_block(std::string_view raw, const ProfileTable& profiles,
                                    const RowBlockInfo& block, DecodedRowBlock& out) const;

 private:
  void prefetch_sections(SectionKind from, SectionKind to) const;
  class Range;
  [[nodiscard]] Status check_sections() const;
  [[nodiscard]] Result<Range> read_range(SectionKind first, SectionKind last) const;
  [[nodiscard]] Result<StringColumn> load_strings(const Range& range) const;
  [[nodiscard]] Result<std::shared_ptr<const Rollup>> load_rollup() const;
  [[nodiscard]] Result<std::shared_ptr<const ProfileIndex>> load_profile_index() const;
  [[nodiscard]] Result<std::shared_ptr<const std::vector<LabelSet>>> load_series() const;
  [[nodiscard]] Result<std::shared_ptr<const HeapScales>> load_heap_scales() const;
  [[nodiscard]] Status add_block_run(const ProfileIndex& index, size_t first, size_t last,
                                     std::span<const uint32_t> chosen, size_t type,
                                     std::span<int64_t> by_key, class RowAdder& adder) const;
  [[nodiscard]] Status add_side(const ProfileTable& profiles, std::span<const uint32_t> chosen,
                                size_t type, const SideSelector& selector,
                                std::span<int64_t> by_key) const;
  [[nodiscard]] tl::unexpected<Error> in_context(Error error) const;

  const ObjectReader& object_;
  const DatasetEntry& entry_;
  const std::string_view label_bloom_;
  const Id128 symbols_id_;
  CacheBudget& budget_;
  const std::string name_;
  Cover cover_;
  mutable CachedPart<std::vector<LabelSet>> series_;
  mutable CachedPart<ProfileIndex> index_;
  mutable CachedPart<HeapScales> heap_;
};

}  // namespace hearth::storage
