#pragma once

#include <cmath>
#include <vector>

#include "storage/heap_scale.h"
#include "support/segment_gen.h"

namespace hearth::test {

/// Profiles that report counters: most rows are those of the profile before.
struct CounterShape {
  size_t series = 2, profiles = 20, keys = 60;
  bool heap = true;    ///< Go's heap family with its scaled values; else three types of counters.
  size_t junk = 1;     ///< Percent of rows that no counters explain.
  size_t change = 10;  ///< Percent of rows that change from one profile to the next.
};

namespace counter_gen_detail {

/// Six block sizes; key k has set k % 7, and set 0 no size.
inline void add_sizes(storage::OwnedSymbols& t) {
  t.strings.views.emplace_back("bytes");
  t.label_begin = {0, 0};
  t.label_key.clear();
  t.label_str.clear();
  t.label_num.clear();
  t.label_unit.clear();
  for (const int64_t size : {1, 16, 48, 1024, 524'288, 100'000'000}) {
    t.label_key.push_back(static_cast<uint32_t>(t.strings.views.size() - 1));
    t.label_str.push_back(0);
    t.label_num.push_back(size);
    t.label_unit.push_back(0);
    t.label_begin.push_back(static_cast<uint32_t>(t.label_key.size()));
  }
  for (size_t k = 0; k < t.key_labels.size(); ++k) t.key_labels[k] = static_cast<uint32_t>(k % 7);
}

/// What a runtime prints whose exp() differs from ours in the last bit for some sizes.
inline std::vector<int64_t> heap_row(const storage::HeapCounts& counts, int64_t size,
                                     int64_t rate) {
  double c = storage::heap_scale_factor(static_cast<uint64_t>(size), rate);
  if (size == 48 && rate > 1) c = std::nextafter(c, INFINITY);
  const auto v = storage::scale_heap(counts, {static_cast<double>(size), c});
  return {v->alloc_objects, v->alloc_space, v->inuse_objects, v->inuse_space};
}

}  // namespace counter_gen_detail

inline storage::DatasetInput random_counters(Dice& dice, const CounterShape& shape) {
  DatasetShape base;
  base.keys = shape.keys;
  base.series = shape.series;
  base.profiles = 0;
  storage::DatasetInput in = random_dataset(dice, base);
  auto symbols = std::make_shared<storage::OwnedSymbols>();
  segment_gen_detail::fill_symbols(dice, base, *symbols);
  counter_gen_detail::add_sizes(*symbols);
  in.symbols = storage::share_tables(symbols);
  in.family.types = {{"alloc_objects", "count"},
                     {"alloc_space", "bytes"},
                     {"inuse_objects", "count"},
                     {"inuse_space", "bytes"}};
  if (!shape.heap) in.family.types.pop_back();
  const size_t types = in.family.types.size();
  std::vector<std::vector<storage::HeapCounts>> counts(shape.series);
  for (auto& of_series : counts) of_series.resize(shape.keys);
  for (size_t p = 0; p < shape.profiles; ++p) {
    const auto series = static_cast<uint32_t>(dice.below(shape.series));
    in.profile_series.push_back(series);
    in.profile_start_ns.push_back(1'700'000'000'000'000'000 +
                                  static_cast<int64_t>(p) * 1'000'000'000);
    in.profile_duration_ns.push_back(1'000'000'000);
    in.profile_period.push_back(dice.percent(5) ? 1 : dice.percent(5) ? INT64_MIN : 524'288);
    in.profile_id.push_back({dice.next(), p});
    for (uint32_t k = 0; k < shape.keys; ++k) {
      storage::HeapCounts& c = counts[series][k];
      if (dice.percent(shape.change)) {
        c.allocs = dice.percent(10) ? 0 : c.allocs + static_cast<int64_t>(dice.skewed(2000));
        c.frees = static_cast<int64_t>(dice.below(static_cast<uint64_t>(c.allocs) + 1));
      }
      std::vector<int64_t> row(types);
      const uint32_t set = symbols->key_labels[k];
      if (shape.heap && set != 0) {
        row =
            counter_gen_detail::heap_row(c, symbols->label_num[set - 1], in.profile_period.back());
      } else if (!shape.heap) {
        row = {c.allocs, c.frees, c.allocs << 40U};
      }
      if (dice.percent(shape.junk)) {
        for (int64_t& v : row) v = segment_gen_detail::random_value(dice, dice.percent(50));
      }
      if (std::ranges::all_of(row, [](int64_t v) { return v == 0; })) continue;
      in.row_key.push_back(k);
      in.row_value.insert(in.row_value.end(), row.begin(), row.end());
    }
    in.row_begin.push_back(static_cast<uint32_t>(in.row_key.size()));
  }
  return in;
}

}  // namespace hearth::test
