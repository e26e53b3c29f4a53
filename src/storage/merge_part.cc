#include "storage/merge_part.h"

#include <algorithm>
#include <bit>

#include "storage/heap_section.h"
#include "storage/row_block.h"
#include "storage/row_sort.h"
#include "storage/segment_format.h"
#include "storage/side_section.h"
#include "storage/symbol_concat.h"

namespace hearth::storage {
namespace {

/// A block of a source that holds chosen profiles: chosen[begin, end).
struct ChosenBlock {
  const RowBlockInfo& info;
  const DecodedRowBlock& rows;
  size_t begin = 0, end = 0;
};

template <class Visit>
Status for_each_block(const PartSource& source, Visit&& visit) {
  // Kept while blocks are read that need it.
  HEARTH_ASSIGN_OR_RETURN(const auto heap, source.dataset->heap_scales());
  DecodedRowBlock decoded;
  size_t next = 0;
  for (const RowBlockInfo& block : source.index->blocks) {
    const size_t begin = next;
    const uint32_t behind = block.first_profile + block.profiles;
    while (next < source.chosen.size() && source.chosen[next] < behind) ++next;
    if (next == begin) continue;
    HEARTH_ASSIGN_OR_RETURN(const std::string raw, source.dataset->raw_block(block));
    HEARTH_RETURN_IF_ERROR(
        source.dataset->decode_block(raw, source.index->profiles, block, decoded));
    visit(ChosenBlock{block, decoded, begin, next});
  }
  return {};
}

/// The rows of all profiles in their final places: first with the keys of the sources, then with
/// their own, sorted.
class RowColumns {
 public:
  RowColumns(const ProfileTable& profiles, std::vector<uint32_t>& key,
             std::vector<std::vector<int64_t>>& values)
      : key_(key), values_(values) {
    begin_.reserve(profiles.size() + 1);
    begin_.push_back(0);
    for (const uint32_t rows : profiles.rows) begin_.push_back(begin_.back() + rows);
    key_.resize(begin_.back());
    values_.assign(profiles.totals.size(), std::vector<int64_t>(begin_.back()));
  }

  /// Copies the chosen rows; a key is `key_base` more than the source's. Adds to `count` in how
  /// many profiles each of the source's keys occurs.
  Status read(const PartSource& source, uint32_t key_base, std::span<uint32_t> count) {
    const std::vector<uint32_t>& rows = source.index->profiles.rows;
    return for_each_block(source, [&](const ChosenBlock& in) {
      size_t row = 0;
      uint32_t p = in.info.first_profile;
      for (size_t i = in.begin; i < in.end; ++i) {
        for (; p < source.chosen[i]; ++p) row += rows[p];
        copy(in.rows, row, rows[p], begin_[source.place[i]], key_base, count);
      }
    });
  }

  /// `id_of` translates the keys of all sources.
  void renumber(std::span<const uint32_t> id_of, size_t keys) {
    const auto key_bits = static_cast<unsigned>(std::bit_width(keys));
    for (size_t p = 0; p + 1 < begin_.size(); ++p)
      renumber_profile(begin_[p], begin_[p + 1] - begin_[p], id_of, key_bits);
  }

 private:
  void copy(const DecodedRowBlock& from, size_t row, size_t rows, uint64_t to, uint32_t key_base,
            std::span<uint32_t> count) {
    for (size_t r = 0; r < rows; ++r) {
      const uint32_t key = from.key[row + r];
      ++count[key];
      key_[to + r] = key_base + key;
    }
    for (size_t t = 0; t < values_.size(); ++t)
      std::copy_n(from.values[t].data() + row, rows, values_[t].data() + to);
  }

  void renumber_profile(uint64_t begin, size_t rows, std::span<const uint32_t> id_of,
                        unsigned key_bits) {
    order_.resize(rows);
    bool sorted = true;
    for (size_t r = 0; r < rows; ++r) {
      order_[r] = sort_row(id_of[key_[begin + r]], static_cast<uint32_t>(r));
      sorted = sorted && (r == 0 || order_[r] > order_[r - 1]);
    }
    if (!sorted) sort_rows(order_, key_bits, scratch_);
    for (size_t r = 0; r < rows; ++r) key_[begin + r] = key_of(order_[r]);
    if (sorted) return;
    for (std::vector<int64_t>& column : values_) {
      int64_t* const values = column.data() + begin;
      before_.assign(values, values + rows);
      for (size_t r = 0; r < rows; ++r) values[r] = before_[input_of(order_[r])];
    }
  }

  std::vector<uint32_t>& key_;
  std::vector<std::vector<int64_t>>& values_;
  std::vector<uint64_t> begin_;
  std::vector<SortRow> order_, scratch_;
  std::vector<int64_t> before_;
};

/// The side data of all profiles, kept by source until the keys have their numbers.
class MergedSide {
 public:
  MergedSide(size_t profiles, size_t types) : types_(types), of_(profiles) {}

  /// A key is `key_base` more than the source's; `used[key]` of those is 0 where no row has it.
  Status read(const PartSource& source, uint32_t key_base, std::span<const uint32_t> used) {
    if (!source.dataset->has_side()) return {};
    HEARTH_ASSIGN_OR_RETURN(const SideSection section, source.dataset->side());
    SideTable block;
    size_t next = 0;
    for (const SideBlockInfo& info : section.blocks()) {
      const size_t first = next;
      const uint32_t behind = info.first_profile + info.profiles;
      while (next < source.chosen.size() && source.chosen[next] < behind) ++next;
      if (next == first) continue;
      HEARTH_RETURN_IF_ERROR(
          section.decode(info, source.index->profiles, source.dataset->info().keys, types_, block));
      size_t entry = 0;
      uint32_t p = 0;
      for (size_t i = first; i < next; ++i) {
        for (; p < source.chosen[i] - info.first_profile; ++p) entry += block.count[p];
        Place& to = of_[source.place[i]];
        to = {entries_.size(), block.count[p]};
        HEARTH_RETURN_IF_ERROR(copy(block, entry, block.count[p], key_base, used));
      }
    }
    return {};
  }

  /// `id_of` translates the keys of all sources.
  SideTable renumber(std::span<const uint32_t> id_of) {
    SideTable out;
    if (entries_.empty()) return out;
    for (SideEntry& e : entries_) e.key = id_of[e.key];
    SideSorter sorter;
    for (const Place& p : of_) {
      sorter.append(std::span(entries_).subspan(p.begin, p.entries),
                    std::span(values_).subspan(p.begin * types_, p.entries * types_), types_, out);
    }
    return out;
  }

 private:
  struct Place {
    size_t begin = 0, entries = 0;  ///< In entries_.
  };
  Status copy(const SideTable& from, size_t entry, size_t n, uint32_t key_base,
              std::span<const uint32_t> used) {
    for (size_t e = entry; e < entry + n; ++e) {
      if (used[from.entries[e].key] == 0)
        return section_damaged(SectionKind::side, "an entry for a row that is not there");
      entries_.push_back(from.entries[e]);
      entries_.back().key += key_base;
      const auto values = from.values_of(e, types_);
      values_.insert(values_.end(), values.begin(), values.end());
    }
    return {};
  }

  const size_t types_;
  std::vector<Place> of_;  ///< By profile of the output.
  std::vector<SideEntry> entries_;
  std::vector<int64_t> values_;
};

class PartMerger {
 public:
  PartMerger(MergePart part, size_t& failed) : part_(std::move(part)), failed_(failed) {}

  Result<CanonicalDataset> run() {
    CanonicalDataset out;
    out.series = std::move(part_.series);
    out.go_heap = is_go_heap(part_.sources.front().dataset->info().family);
    out.profiles = std::move(part_.profiles);
    RowColumns rows(out.profiles, out.row_key, out.row_values);
    HEARTH_RETURN_IF_ERROR(read(rows));
    MergedSide side(out.profiles.size(), out.row_values.size());
    if (part_.keep_side) {
      HEARTH_RETURN_IF_ERROR(for_each_source([&](size_t s) {
        return side.read(part_.sources[s], key_base_[s],
                         std::span(count_).subspan(key_base_[s], keys_of(s)));
      }));
    }
    HEARTH_ASSIGN_OR_RETURN(const std::vector<uint32_t> id_of, merge_symbols(out));
    rows.renumber(id_of, out.symbols.keys.size());
    out.side = side.renumber(id_of);
    return out;
  }

 private:
  template <class Visit>
  Status for_each_source(Visit&& visit) {
    for (size_t s = 0; s < part_.sources.size(); ++s) {
      Status done = visit(s);
      if (done) continue;
      failed_ = s;
      return done;
    }
    return {};
  }

  [[nodiscard]] size_t keys_of(size_t s) const { return part_.sources[s].dataset->info().keys; }

  Status read(RowColumns& rows) {
    uint64_t keys = 0;
    for (size_t s = 0; s < part_.sources.size(); ++s) {
      key_base_.push_back(static_cast<uint32_t>(keys));
      keys += keys_of(s);
    }
    if (keys > UINT32_MAX)
      return fail(ErrorCode::too_large, "merge rows: more than 2^32 keys in all sources");
    count_.resize(keys);
    return for_each_source([&](size_t s) {
      return rows.read(part_.sources[s], key_base_[s],
                       std::span(count_).subspan(key_base_[s], keys_of(s)));
    });
  }

  /// The number of every input key in the merged dataset.
  Result<std::vector<uint32_t>> merge_symbols(CanonicalDataset& out) {
    std::vector<std::shared_ptr<const OwnedSymbols>> owned;
    HEARTH_RETURN_IF_ERROR(for_each_source([&](size_t s) -> Status {
      HEARTH_ASSIGN_OR_RETURN(auto symbols, part_.sources[s].dataset->owned_symbols());
      owned.push_back(std::move(symbols));
      return {};
    }));
    std::vector<const OwnedSymbols*> sources;
    for (const auto& o : owned) sources.push_back(o.get());
    HEARTH_ASSIGN_OR_RETURN(const ConcatSymbols all, concat_symbols(sources));
    std::vector<uint8_t> used(count_.size());
    for (size_t k = 0; k < used.size(); ++k) used[k] = count_[k] != 0 ? 1 : 0;
    HEARTH_ASSIGN_OR_RETURN(out.symbols,
                            canonicalise_symbols(all.columns.view(), used, {all.runs}));
    std::vector<uint32_t> frequency(out.symbols.keys.size());
    for (size_t k = 0; k < used.size(); ++k) {
      if (used[k] != 0) frequency[out.symbols.key_index[k]] += count_[k];
    }
    return number_keys(frequency, out.profiles.size(), out.symbols);
  }

  MergePart part_;
  size_t& failed_;
  std::vector<uint32_t> key_base_;
  std::vector<uint32_t> count_;  ///< By input key: in how many chosen profiles it occurs.
};

}  // namespace

Result<CanonicalDataset> merge_part(MergePart part, size_t& failed) {
  return PartMerger(std::move(part), failed).run();
}

}  // namespace hearth::storage
