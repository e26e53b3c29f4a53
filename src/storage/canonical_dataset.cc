#include "storage/canonical_dataset.h"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>
#include <tuple>

#include "storage/heap_section.h"
#include "storage/ranking.h"
#include "storage/row_sort.h"
#include "storage/saturating_sum.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

bool has_side_shape(const DatasetInput& in) {
  const SideTable& side = in.side;
  const uint64_t entries = std::accumulate(side.count.begin(), side.count.end(), uint64_t{0});
  return (side.empty() || side.count.size() == in.profile_series.size()) &&
         entries == side.entries.size() &&
         side.values.size() == side.entries.size() * in.family.types.size() &&
         std::ranges::all_of(side.entries,
                             [&](const SideEntry& e) { return e.key < in.symbols->keys(); });
}

Status check_shape(const DatasetInput& in) {
  const size_t profiles = in.profile_series.size();
  const size_t rows = in.row_key.size();
  const bool columns = in.profile_start_ns.size() == profiles &&
                       in.profile_duration_ns.size() == profiles &&
                       in.profile_period.size() == profiles &&
                       (in.profile_id.empty() || in.profile_id.size() == profiles);
  const bool begins = in.row_begin.size() == profiles + 1 && in.row_begin.front() == 0 &&
                      in.row_begin.back() == rows && std::ranges::is_sorted(in.row_begin);
  const bool values = in.row_value.size() == rows * in.family.types.size();
  const bool ids =
      std::ranges::all_of(in.row_key, [&](uint32_t k) { return k < in.symbols->keys(); }) &&
      std::ranges::all_of(in.profile_series, [&](uint32_t s) { return s < in.series.size(); });
  if (columns && begins && values && ids && has_side_shape(in)) return {};
  return fail(ErrorCode::internal,
              "write dataset: columns of different lengths or an id outside its table");
}

/// In how many profiles each key of the list occurs.
std::vector<uint32_t> count_profiles(const DatasetInput& in, const CanonicalSymbols& symbols) {
  struct Count {
    uint32_t last_profile = UINT32_MAX;
    uint32_t profiles = 0;
  };
  std::vector<Count> counts(symbols.keys.size());
  for (size_t p = 0; p + 1 < in.row_begin.size(); ++p) {
    for (size_t r = in.row_begin[p]; r < in.row_begin[p + 1]; ++r) {
      Count& c = counts[symbols.key_index[in.row_key[r]]];
      if (c.last_profile == p) continue;
      c.last_profile = static_cast<uint32_t>(p);
      ++c.profiles;
    }
  }
  std::vector<uint32_t> frequency(counts.size());
  for (size_t i = 0; i < counts.size(); ++i) frequency[i] = counts[i].profiles;
  return frequency;
}

std::vector<SortRow> sorted_rows(const DatasetInput& in, std::span<const uint32_t> id_of,
                                 size_t keys) {
  std::vector<SortRow> rows(in.row_key.size());
  for (size_t r = 0; r < rows.size(); ++r) rows[r] = uint64_t{id_of[in.row_key[r]]} << 32U | r;
  std::vector<SortRow> scratch;
  const auto bits = static_cast<unsigned>(std::bit_width(keys));
  for (size_t p = 0; p + 1 < in.row_begin.size(); ++p) {
    sort_rows(std::span(rows).subspan(in.row_begin[p], in.row_begin[p + 1] - in.row_begin[p]), bits,
              scratch);
  }
  return rows;
}

/// Rows of one or more profiles by column.
struct RowColumns {
  std::vector<uint32_t>& key;
  std::vector<std::vector<int64_t>>& values;
};

std::span<const SortRow> rows_of(const DatasetInput& in, std::span<const SortRow> rows,
                                 uint32_t p) {
  return rows.subspan(in.row_begin[p], in.row_begin[p + 1] - in.row_begin[p]);
}

/// As append_rows(), where no two keys are equal.
uint32_t append_distinct_rows(const DatasetInput& in, std::span<const SortRow> rows,
                              RowColumns out) {
  const size_t types = in.family.types.size();
  const size_t begin = out.key.size();
  out.key.resize(begin + rows.size());
  std::ranges::transform(rows, out.key.data() + begin, key_of);
  for (size_t t = 0; t < types; ++t) {
    out.values[t].resize(begin + rows.size());
    const int64_t* const from = in.row_value.data() + t;
    std::ranges::transform(rows, out.values[t].data() + begin,
                           [&](SortRow row) { return from[input_of(row) * types]; });
  }
  return static_cast<uint32_t>(rows.size());
}

/// Appends the rows of one input profile; returns how many there are after equal keys were added
/// up.
uint32_t append_rows(const DatasetInput& in, std::span<const SortRow> rows, RowColumns out) {
  if (std::ranges::adjacent_find(rows, {}, key_of) == rows.end())
    return append_distinct_rows(in, rows, out);
  const size_t types = in.family.types.size();
  const size_t begin = out.key.size();
  std::vector<int64_t> equal;
  for (size_t i = 0; i < rows.size();) {
    size_t end = i + 1;
    while (end < rows.size() && key_of(rows[end]) == key_of(rows[i])) ++end;
    out.key.push_back(key_of(rows[i]));
    for (size_t t = 0; t < types; ++t) {
      if (end == i + 1) {
        out.values[t].push_back(in.row_value[input_of(rows[i]) * types + t]);
        continue;
      }
      equal.clear();
      for (size_t k = i; k < end; ++k) equal.push_back(in.row_value[input_of(rows[k]) * types + t]);
      out.values[t].push_back(saturating_sum(equal));
    }
    i = end;
  }
  return static_cast<uint32_t>(out.key.size() - begin);
}

/// The side data of an input, by profile, in the numbering of the output.
class SideInput {
 public:
  SideInput(const DatasetInput& in, std::span<const uint32_t> id_of) : in_(in), id_of_(id_of) {
    begin_.push_back(0);
    for (const uint32_t n : in.side.count) begin_.push_back(begin_.back() + n);
  }

  void append(uint32_t p, SideTable& out) {
    if (in_.side.empty()) return;
    const size_t types = in_.family.types.size();
    entries_.assign(in_.side.entries.begin() + begin_[p], in_.side.entries.begin() + begin_[p + 1]);
    for (SideEntry& e : entries_) e.key = id_of_[e.key];
    const auto values =
        std::span(in_.side.values)
            .subspan(static_cast<size_t>(begin_[p]) * types, entries_.size() * types);
    sorter_.append(entries_, values, types, out);
  }
  int compare(uint32_t a, uint32_t b) {
    SideTable left, right;
    append(a, left);
    append(b, right);
    return compare_values(std::tie(left.entries, left.values),
                          std::tie(right.entries, right.values));
  }

 private:
  const DatasetInput& in_;
  const std::span<const uint32_t> id_of_;
  std::vector<ptrdiff_t> begin_;
  std::vector<SideEntry> entries_;
  SideSorter sorter_;
};

/// Order of two profiles by their rows, for profiles that agree in everything else: rare, so it may
/// allocate.
int compare_rows(const DatasetInput& in, std::span<const SortRow> rows, uint32_t a, uint32_t b) {
  std::array<std::vector<uint32_t>, 2> key;
  std::array<std::vector<std::vector<int64_t>>, 2> values;
  for (size_t i = 0; i < 2; ++i) {
    values[i].resize(in.family.types.size());
    append_rows(in, rows_of(in, rows, i == 0 ? a : b), {key[i], values[i]});
  }
  return compare_values(std::tie(key[0], values[0]), std::tie(key[1], values[1]));
}

/// Input profiles in canonical order. Ties beyond (series, start, id) are broken by everything
/// else, so that the order of the input never shows.
std::vector<uint32_t> profile_order(const DatasetInput& in, const Ranking& series,
                                    std::span<const SortRow> rows, SideInput& side) {
  std::vector<uint32_t> order(in.profile_series.size());
  std::iota(order.begin(), order.end(), 0);
  const auto tuple = [&](uint32_t p) {
    return std::tuple(series.rank[in.profile_series[p]], in.profile_start_ns[p],
                      in.profile_id.empty() ? Id128{} : in.profile_id[p], in.profile_duration_ns[p],
                      in.profile_period[p]);
  };
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    const auto ta = tuple(a);
    const auto tb = tuple(b);
    if (ta != tb) return ta < tb;
    const int by_rows = compare_rows(in, rows, a, b);
    return by_rows != 0 ? by_rows < 0 : side.compare(a, b) < 0;
  });
  return order;
}

Status append_profile(const DatasetInput& in, uint32_t p, std::span<const SortRow> rows,
                      CanonicalDataset& out) {
  ProfileTable& to = out.profiles;
  const size_t begin = out.row_key.size();
  const uint32_t n = append_rows(in, rows_of(in, rows, p), {out.row_key, out.row_values});
  if (n > limit::kBlockRowsRead)
    return section_too_large(SectionKind::rows, "a profile of more than 2^20 rows");
  to.rows.push_back(n);
  to.start_ns.push_back(in.profile_start_ns[p]);
  to.duration_ns.push_back(in.profile_duration_ns[p]);
  to.period.push_back(in.profile_period[p]);
  if (!in.profile_id.empty()) to.ids.push_back(in.profile_id[p]);
  for (size_t t = 0; t < to.totals.size(); ++t) {
    to.totals[t].push_back(saturating_sum(std::span(out.row_values[t]).subspan(begin)));
  }
  return {};
}

Ranking rank_series(const DatasetInput& in) {
  std::vector<uint8_t> used(in.series.size());
  for (const uint32_t s : in.profile_series) used[s] = 1;
  return rank_entries(
      used, [&](uint32_t a, uint32_t b) { return compare_values(in.series[a], in.series[b]); });
}

void reserve(const DatasetInput& in, CanonicalDataset& out) {
  out.row_key.reserve(in.row_key.size());
  out.row_values.resize(in.family.types.size());
  for (auto& column : out.row_values) column.reserve(in.row_key.size());
  out.profiles.totals.resize(in.family.types.size());
}

}  // namespace

Result<CanonicalDataset> canonicalise(const DatasetInput& input) {
  HEARTH_RETURN_IF_ERROR(check_shape(input));
  std::vector<uint8_t> key_used(input.symbols->keys());
  for (const uint32_t k : input.row_key) key_used[k] = 1;
  if (std::ranges::any_of(input.side.entries,
                          [&](const SideEntry& e) { return key_used[e.key] == 0; }))
    return fail(ErrorCode::internal, "write dataset: side data of a stack without rows");
  CanonicalDataset out;
  out.go_heap = is_go_heap(input.family);
  HEARTH_ASSIGN_OR_RETURN(out.symbols,
                          canonicalise_symbols(*input.symbols, key_used, {{}, input.order}));
  const std::vector<uint32_t> id_of =
      number_keys(count_profiles(input, out.symbols), input.profile_series.size(), out.symbols);
  const std::vector<SortRow> rows = sorted_rows(input, id_of, out.symbols.keys.size());
  const Ranking series = rank_series(input);
  for (const uint32_t s : series.first) out.series.push_back(input.series[s]);
  reserve(input, out);
  SideInput side(input, id_of);
  for (const uint32_t p : profile_order(input, series, rows, side)) {
    out.profiles.series.push_back(series.rank[input.profile_series[p]]);
    HEARTH_RETURN_IF_ERROR(append_profile(input, p, rows, out));
    side.append(p, out.side);
  }
  return out;
}

}  // namespace hearth::storage
