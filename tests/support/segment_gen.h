#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "storage/dataset.h"
#include "storage/owned_symbols.h"
#include "storage/saturating_sum.h"
#include "storage/segment_dataset.h"
#include "storage/segment_file.h"
#include "storage/segment_writer.h"
#include "support/profile_gen.h"

namespace hearth::test {

/// Strings for a StringColumn in the order given.
inline storage::StringColumn make_strings(const std::vector<std::string>& strings) {
  storage::StringColumn column;
  size_t bytes = 0;
  for (const auto& s : strings) bytes += s.size();
  column.bytes.reserve(bytes);
  for (const auto& s : strings) {
    const size_t begin = column.bytes.size();
    column.bytes.insert(column.bytes.end(), s.begin(), s.end());
    column.views.emplace_back(column.bytes.data() + begin, s.size());
  }
  return column;
}

/// How a random dataset is drawn. Small tables, so that everything is shared, repeated and, where
/// the format allows it, odd: duplicate entries, unused entries, nodes that occur twice, keys
/// without a stack, labels in any order.
struct DatasetShape {
  size_t strings = 40, functions = 20, mappings = 3, locations = 30, nodes = 200, label_sets = 4,
         keys = 150;
  size_t series = 3, profiles = 12, rows = 30;
  size_t types = 2;
  bool times_period = true;  ///< Column 1 = column 0 × period, as Go's CPU profiles.
  bool wide_values = false;  ///< Values of all sizes and signs.
  bool ids = true;
  uint64_t side_percent = 0;  ///< Of the rows, that have side data.
};

/// Any size of every table. One in ten has up to `profiles_rare` profiles, more than a block holds.
inline DatasetShape random_shape(Dice& dice, size_t profiles_most, size_t profiles_rare) {
  DatasetShape shape;
  shape.strings = 2 + dice.below(80);
  shape.functions = 1 + dice.below(30);
  shape.mappings = 1 + dice.below(4);
  shape.locations = 2 + dice.below(60);
  shape.nodes = 1 + dice.below(400);
  shape.label_sets = 1 + dice.below(6);
  shape.keys = 1 + dice.below(300);
  shape.series = 1 + dice.below(5);
  shape.profiles = 1 + dice.below(dice.percent(10) ? profiles_rare : profiles_most);
  shape.rows = dice.below(80);
  shape.types = 1 + dice.below(4);
  shape.wide_values = dice.percent(30);
  shape.side_percent = dice.percent(50) ? dice.below(100) : 0;
  return shape;
}

namespace segment_gen_detail {

inline std::string random_text(Dice& dice) {
  static constexpr const char* kStems[] = {"runtime.", "net/http.(*conn).",
                                           "github.com/acme/shop/internal/", "", "\xff\xfe"};
  std::string text = kStems[dice.below(std::size(kStems))];
  for (size_t n = dice.below(12); n > 0; --n)
    text.push_back(static_cast<char>('a' + dice.below(4)));
  return text;
}

inline void fill_symbols(Dice& dice, const DatasetShape& shape, storage::OwnedSymbols& t) {
  std::vector<std::string> strings = {""};
  while (strings.size() < shape.strings) strings.push_back(random_text(dice));
  t.strings = make_strings(strings);
  const auto string = [&] { return static_cast<uint32_t>(dice.below(shape.strings)); };
  for (size_t i = 0; i < shape.functions; ++i) {
    t.function_name.push_back(string());
    t.function_system_name.push_back(dice.percent(70) ? t.function_name.back() : string());
    t.function_file.push_back(string());
    t.function_start_line.push_back(static_cast<int64_t>(dice.below(9)) - 2);
  }
  for (size_t i = 0; i < shape.mappings; ++i) {
    t.mapping_start.push_back(dice.below(4) << 60U);
    t.mapping_limit.push_back(dice.next());
    t.mapping_offset.push_back(dice.below(3));
    t.mapping_file.push_back(string());
    t.mapping_build_id.push_back(string());
    t.mapping_flags.push_back(static_cast<uint8_t>(dice.below(16)));
  }
  t.location_mapping = {0};
  t.location_address = {0};
  t.location_folded = {0};
  t.line_begin = {0, 0};
  for (size_t i = 1; i < shape.locations; ++i) {
    const size_t lines = dice.percent(20) ? 0 : 1 + dice.below(3);
    t.location_mapping.push_back(static_cast<uint32_t>(dice.below(shape.mappings + 1)));
    t.location_address.push_back(lines == 0 ? dice.next() : dice.percent(5) ? dice.below(3) : 0);
    t.location_folded.push_back(dice.percent(5) ? 1 : 0);
    for (size_t l = 0; l < lines; ++l) {
      t.line_function.push_back(static_cast<uint32_t>(dice.below(shape.functions)));
      t.line_number.push_back(static_cast<int64_t>(dice.below(5)) - 1);
      t.line_column.push_back(dice.percent(5) ? static_cast<int64_t>(dice.below(9)) : 0);
    }
    t.line_begin.push_back(static_cast<uint32_t>(t.line_function.size()));
  }
  t.node_parent = {0};
  t.node_location = {0};
  for (size_t i = 1; i < shape.nodes; ++i) {
    t.node_parent.push_back(static_cast<uint32_t>(dice.percent(50) ? i - 1 : dice.below(i)));
    t.node_location.push_back(static_cast<uint32_t>(1 + dice.skewed(shape.locations - 1)));
  }
  t.label_begin = {0, 0};
  for (size_t s = 1; s < shape.label_sets; ++s) {
    for (size_t n = dice.below(4); n > 0; --n) {
      t.label_key.push_back(string());
      t.label_str.push_back(dice.percent(50) ? 0 : string());
      t.label_num.push_back(static_cast<int64_t>(dice.next()) >> dice.below(64));
      t.label_unit.push_back(string());
    }
    t.label_begin.push_back(static_cast<uint32_t>(t.label_key.size()));
  }
  for (size_t k = 0; k < shape.keys; ++k) {
    t.key_node.push_back(static_cast<uint32_t>(dice.below(shape.nodes)));
    t.key_labels.push_back(dice.percent(70) ? 0
                                            : static_cast<uint32_t>(dice.below(shape.label_sets)));
  }
}

inline int64_t random_value(Dice& dice, bool wide) {
  if (!wide) return static_cast<int64_t>(dice.skewed(50));
  if (dice.percent(2)) return INT64_MIN;
  return static_cast<int64_t>(dice.next()) >> dice.below(64);
}

/// Few ids, so that profiles and stacks share them; 0: none.
inline uint64_t random_span(Dice& dice) {
  return dice.below(6) * 0x1111'1111'1111'1111;
}
inline Id128 random_trace(Dice& dice) {
  return {dice.below(2), dice.below(3) << 60U};
}

/// Side data of the last profile of `in`: some say nothing, some hold nothing, some are equal.
inline void add_side(Dice& dice, const DatasetShape& shape, storage::DatasetInput& in) {
  if (shape.side_percent == 0) return;
  const size_t before = in.side.entries.size();
  for (size_t row = in.row_begin[in.row_begin.size() - 2]; row < in.row_begin.back(); ++row) {
    if (!dice.percent(shape.side_percent)) continue;
    for (size_t n = 1 + dice.below(4); n > 0; --n) {
      const int64_t time =
          dice.percent(50) ? 0 : in.profile_start_ns.back() + static_cast<int64_t>(dice.below(3));
      in.side.entries.push_back({in.row_key[row], random_span(dice), random_trace(dice), time});
      for (size_t t = 0; t < shape.types; ++t)
        in.side.values.push_back(random_value(dice, shape.wide_values));
    }
  }
  in.side.count.push_back(static_cast<uint32_t>(in.side.entries.size() - before));
}

}  // namespace segment_gen_detail

/// A random dataset; the same dice give the same one.
inline storage::DatasetInput random_dataset(Dice& dice, const DatasetShape& shape) {
  using namespace segment_gen_detail;
  storage::DatasetInput in;
  in.tenant = "anonymous";
  in.service = "shop";
  for (size_t t = 0; t < shape.types; ++t)
    in.family.types.push_back({"type" + std::to_string(t), "unit"});
  in.family.period = {"cpu", "nanoseconds"};
  auto symbols = std::make_shared<storage::OwnedSymbols>();
  fill_symbols(dice, shape, *symbols);
  in.symbols = storage::share_tables(symbols);
  for (size_t s = 0; s < shape.series; ++s) {
    in.series.push_back(*LabelSet::make({{"__name__", "process_cpu"},
                                         {"service_name", "shop"},
                                         {"pod", "pod-" + std::to_string(dice.below(4))}}));
  }
  in.row_begin.push_back(0);
  std::vector<uint32_t> keys(shape.keys);
  for (size_t p = 0; p < shape.profiles; ++p) {
    in.profile_series.push_back(static_cast<uint32_t>(dice.below(shape.series)));
    in.profile_start_ns.push_back(static_cast<int64_t>(1'700'000'000 + 10 * dice.below(20)) *
                                  1'000'000'000);
    in.profile_duration_ns.push_back(static_cast<int64_t>(dice.below(3)));
    in.profile_period.push_back(dice.percent(90) ? 10'000'000
                                                 : static_cast<int64_t>(dice.below(99)));
    if (shape.ids) in.profile_id.push_back({dice.next(), dice.next()});
    std::iota(keys.begin(), keys.end(), 0U);
    for (size_t i = keys.size(); i > 1; --i) std::swap(keys[i - 1], keys[dice.below(i)]);
    const size_t rows = std::min<size_t>(dice.below(shape.rows + 1), keys.size());
    for (size_t r = 0; r < rows; ++r) {
      in.row_key.push_back(keys[r]);
      for (size_t t = 0; t < shape.types; ++t) {
        const bool derived = t == 1 && shape.times_period && !shape.wide_values;
        in.row_value.push_back(derived ? in.row_value.back() * in.profile_period.back()
                                       : random_value(dice, shape.wide_values));
      }
    }
    in.row_begin.push_back(static_cast<uint32_t>(in.row_key.size()));
    add_side(dice, shape, in);
  }
  return in;
}

namespace segment_gen_detail {

/// A random permutation of [0, n): order[i] = the old number of new entry i; the first `fixed`
/// stay.
inline std::vector<uint32_t> permutation(Dice& dice, size_t n, size_t fixed) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0U);
  for (size_t i = n; i > fixed + 1; --i)
    std::swap(order[i - 1], order[fixed + dice.below(i - fixed)]);
  return order;
}

/// A random order of the nodes in which parents come first.
inline std::vector<uint32_t> node_permutation(Dice& dice, std::span<const uint32_t> parent) {
  std::vector<std::vector<uint32_t>> children(parent.size());
  for (uint32_t n = 1; n < parent.size(); ++n) children[parent[n]].push_back(n);
  std::vector<uint32_t> ready = {0};
  std::vector<uint32_t> order;
  while (!ready.empty()) {
    std::swap(ready.back(), ready[dice.below(ready.size())]);
    const uint32_t n = ready.back();
    ready.pop_back();
    order.push_back(n);
    ready.insert(ready.end(), children[n].begin(), children[n].end());
  }
  return order;
}

inline std::vector<uint32_t> inverse(const std::vector<uint32_t>& order) {
  std::vector<uint32_t> of(order.size());
  for (uint32_t i = 0; i < order.size(); ++i) of[order[i]] = i;
  return of;
}

}  // namespace segment_gen_detail

/// Appends profile `p` of `from` to the side data of another input, whose entries then come in the
/// order of `order`; `key_of` translates the keys, empty: as they are.
inline void copy_side(const storage::DatasetInput& from, size_t p, std::span<const uint32_t> order,
                      std::span<const uint32_t> key_of, storage::SideTable& to) {
  if (from.side.count.empty()) return;
  const auto* const begin_of = from.side.count.data();
  const size_t begin = std::accumulate(begin_of, begin_of + p, size_t{0});
  const size_t types = from.family.types.size();
  for (const uint32_t i : order) {
    storage::SideEntry entry = from.side.entries[begin + i];
    if (!key_of.empty()) entry.key = key_of[entry.key];
    to.entries.push_back(entry);
    const auto values = from.side.values_of(begin + i, types);
    to.values.insert(to.values.end(), values.begin(), values.end());
  }
  to.count.push_back(static_cast<uint32_t>(order.size()));
}

/// The same contents: stacks, keys, series, profiles and rows come in another order and with other
/// numbers.
inline storage::DatasetInput shuffled(Dice& dice, const storage::DatasetInput& in) {
  using namespace segment_gen_detail;
  const symbols::SymbolTables& t = *in.symbols;
  auto s = std::make_shared<storage::OwnedSymbols>();
  const auto strings = permutation(dice, t.strings.size(), 1);
  const auto string_of = inverse(strings);
  std::vector<std::string> texts;
  for (const uint32_t i : strings) texts.emplace_back(t.strings[i]);
  s->strings = make_strings(texts);
  const auto functions = permutation(dice, t.function_name.size(), 0);
  const auto function_of = inverse(functions);
  for (const uint32_t f : functions) {
    s->function_name.push_back(string_of[t.function_name[f]]);
    s->function_system_name.push_back(string_of[t.function_system_name[f]]);
    s->function_file.push_back(string_of[t.function_file[f]]);
    s->function_start_line.push_back(t.function_start_line[f]);
  }
  const auto mappings = permutation(dice, t.mapping_start.size(), 0);
  const auto mapping_of = inverse(mappings);
  for (const uint32_t m : mappings) {
    s->mapping_start.push_back(t.mapping_start[m]);
    s->mapping_limit.push_back(t.mapping_limit[m]);
    s->mapping_offset.push_back(t.mapping_offset[m]);
    s->mapping_file.push_back(string_of[t.mapping_file[m]]);
    s->mapping_build_id.push_back(string_of[t.mapping_build_id[m]]);
    s->mapping_flags.push_back(t.mapping_flags[m]);
  }
  const auto locations = permutation(dice, t.locations(), 1);
  const auto location_of = inverse(locations);
  s->line_begin = {0};
  for (const uint32_t l : locations) {
    const uint32_t m = t.location_mapping[l];
    s->location_mapping.push_back(m == 0 ? 0 : mapping_of[m - 1] + 1);
    s->location_address.push_back(t.location_address[l]);
    s->location_folded.push_back(t.location_folded[l]);
    for (size_t i = t.line_begin[l]; i < t.line_begin[l + 1]; ++i) {
      s->line_function.push_back(function_of[t.line_function[i]]);
      s->line_number.push_back(t.line_number[i]);
      s->line_column.push_back(t.line_column[i]);
    }
    s->line_begin.push_back(static_cast<uint32_t>(s->line_function.size()));
  }
  const auto nodes = node_permutation(dice, t.node_parent);
  const auto node_of = inverse(nodes);
  for (const uint32_t n : nodes) {
    s->node_parent.push_back(node_of[t.node_parent[n]]);
    s->node_location.push_back(location_of[t.node_location[n]]);
  }
  const auto sets = permutation(dice, t.label_begin.size() - 1, 1);
  const auto set_of = inverse(sets);
  s->label_begin = {0};
  for (const uint32_t set : sets) {
    for (size_t i = t.label_begin[set + 1]; i-- > t.label_begin[set];) {
      s->label_key.push_back(string_of[t.label_key[i]]);
      s->label_str.push_back(string_of[t.label_str[i]]);
      s->label_num.push_back(t.label_num[i]);
      s->label_unit.push_back(string_of[t.label_unit[i]]);
    }
    s->label_begin.push_back(static_cast<uint32_t>(s->label_key.size()));
  }
  const auto keys = permutation(dice, t.keys(), 0);
  const auto key_of = inverse(keys);
  for (const uint32_t k : keys) {
    s->key_node.push_back(node_of[t.key_node[k]]);
    s->key_labels.push_back(set_of[t.key_labels[k]]);
  }
  storage::DatasetInput out;
  out.tenant = in.tenant;
  out.service = in.service;
  out.family = in.family;
  out.symbols = storage::share_tables(s);
  const auto series = permutation(dice, in.series.size(), 0);
  const auto series_of = inverse(series);
  for (const uint32_t i : series) out.series.push_back(in.series[i]);
  out.row_begin = {0};
  for (const uint32_t p : permutation(dice, in.profile_series.size(), 0)) {
    out.profile_series.push_back(series_of[in.profile_series[p]]);
    out.profile_start_ns.push_back(in.profile_start_ns[p]);
    out.profile_duration_ns.push_back(in.profile_duration_ns[p]);
    out.profile_period.push_back(in.profile_period[p]);
    if (!in.profile_id.empty()) out.profile_id.push_back(in.profile_id[p]);
    for (const uint32_t r : permutation(dice, in.row_begin[p + 1] - in.row_begin[p], 0)) {
      const size_t row = in.row_begin[p] + r;
      out.row_key.push_back(key_of[in.row_key[row]]);
      const size_t types = in.family.types.size();
      out.row_value.insert(out.row_value.end(),
                           in.row_value.begin() + static_cast<ptrdiff_t>(row * types),
                           in.row_value.begin() + static_cast<ptrdiff_t>((row + 1) * types));
    }
    out.row_begin.push_back(static_cast<uint32_t>(out.row_key.size()));
    if (in.side.count.empty()) continue;
    copy_side(in, p, permutation(dice, in.side.count[p], 0), key_of, out.side);
  }
  return out;
}

/// What a row means, without any id: the frames of its stack (outermost first) and its labels, as
/// text.
inline std::string key_text(const symbols::SymbolTables& t, uint32_t key) {
  const auto str = [&](uint32_t s) { return std::string(t.strings[s]) + ";"; };
  std::vector<uint32_t> stack;
  for (uint32_t n = t.key_node[key]; n != 0; n = t.node_parent[n])
    stack.push_back(t.node_location[n]);
  std::string text;
  for (size_t i = stack.size(); i-- > 0;) {
    const uint32_t l = stack[i];
    text += "\n@" + std::to_string(t.location_address[l]) + (t.location_folded[l] != 0 ? "f" : "") +
            ":";
    if (const uint32_t m = t.location_mapping[l]; m != 0) {
      text += std::to_string(t.mapping_start[m - 1]) + "," +
              std::to_string(t.mapping_limit[m - 1]) + "," +
              std::to_string(t.mapping_offset[m - 1]) + "," + str(t.mapping_file[m - 1]) +
              str(t.mapping_build_id[m - 1]) + std::to_string(t.mapping_flags[m - 1]);
    }
    for (size_t k = t.line_begin[l]; k < t.line_begin[l + 1]; ++k) {
      const uint32_t f = t.line_function[k];
      text += "|" + str(t.function_name[f]) + str(t.function_system_name[f]) +
              str(t.function_file[f]) + std::to_string(t.function_start_line[f]) + "," +
              std::to_string(t.line_number[k]) + "," + std::to_string(t.line_column[k]);
    }
  }
  std::vector<std::string> labels;
  const uint32_t set = t.key_labels[key];
  for (size_t i = t.label_begin[set]; i < t.label_begin[set + 1]; ++i) {
    labels.push_back(str(t.label_key[i]) +
                     (t.label_str[i] != 0 && !t.strings[t.label_str[i]].empty()
                          ? "s" + str(t.label_str[i])
                          : "n" + std::to_string(t.label_str[i] != 0 ? 0 : t.label_num[i]) +
                                (t.label_str[i] != 0 ? ";" : str(t.label_unit[i]))));
  }
  std::sort(labels.begin(), labels.end());
  for (const auto& l : labels) text += "\n=" + l;
  return text;
}

/// A profile's meaning: series text, times, id, and what each stack adds up to (rows that are all
/// zero left out).
struct MeaningOfProfile {
  std::string series;
  int64_t start_ns = 0, duration_ns = 0, period = 0;
  Id128 id;
  std::map<std::string, std::vector<int64_t>> rows;
  auto operator<=>(const MeaningOfProfile&) const = default;
};

inline std::vector<MeaningOfProfile> meaning(const storage::DatasetInput& in) {
  const size_t types = in.family.types.size();
  std::vector<MeaningOfProfile> out;
  for (size_t p = 0; p < in.profile_series.size(); ++p) {
    MeaningOfProfile m{in.series[in.profile_series[p]].to_string(),
                       in.profile_start_ns[p],
                       in.profile_duration_ns[p],
                       in.profile_period[p],
                       in.profile_id.empty() ? Id128{} : in.profile_id[p],
                       {}};
    std::map<std::string, std::vector<std::vector<int64_t>>> values;
    for (size_t r = in.row_begin[p]; r < in.row_begin[p + 1]; ++r) {
      auto& columns = values[key_text(*in.symbols, in.row_key[r])];
      columns.resize(types);
      for (size_t t = 0; t < types; ++t) columns[t].push_back(in.row_value[r * types + t]);
    }
    for (const auto& [key, columns] : values) {
      for (const auto& column : columns) m.rows[key].push_back(storage::saturating_sum(column));
    }
    std::erase_if(m.rows, [](const auto& row) {
      return std::all_of(row.second.begin(), row.second.end(), [](int64_t v) { return v == 0; });
    });
    out.push_back(std::move(m));
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// A segment of what `add(writer)` puts into it, which answers a Status.
template <class Add>
std::string write_with(storage::SegmentWriter::Options options, Add&& add) {
  std::string bytes;
  options.uuid = {0x0123456789abcdef, 0xfedcba9876543210};
  options.window_start_ns = 1'700'000'000'000'000'000;
  options.window_length_ns = 60'000'000'000;
  options.writer_version = "test";
  storage::SegmentWriter writer(options, [&](std::string_view part) {
    bytes += part;
    return Status{};
  });
  HEARTH_CHECK(add(writer).has_value(), "write a dataset");
  HEARTH_CHECK(writer.finish().has_value(), "finish a segment");
  return bytes;
}

/// Writes one segment of these datasets; fails the test program when the writer does.
inline std::string write_segment(std::span<const storage::DatasetInput> datasets,
                                 storage::SegmentWriter::Options options) {
  return write_with(std::move(options), [&](storage::SegmentWriter& writer) -> Status {
    for (const auto& d : datasets) HEARTH_RETURN_IF_ERROR(writer.add(d));
    return {};
  });
}

inline std::string write_segment(std::span<const storage::DatasetInput> datasets,
                                 const std::string& key = "segments/test") {
  storage::SegmentWriter::Options options;
  options.object_key = key;
  return write_segment(datasets, options);
}

inline std::string write_segment_with_rollup(const storage::DatasetInput& dataset,
                                             std::vector<std::string> labels) {
  storage::SegmentWriter::Options options;
  options.object_key = "segments/test";
  options.rollup = true;
  options.rollup_labels = std::move(labels);
  return write_segment(std::span(&dataset, 1), options);
}

/// Everything of a dataset, read back through the interface queries use: rows by asking for one
/// profile at a time.
inline Result<storage::DatasetInput> read_back(const storage::Dataset& dataset) {
  storage::DatasetInput out;
  out.tenant = dataset.info().tenant;
  out.service = dataset.info().service;
  out.family = dataset.info().family;
  HEARTH_ASSIGN_OR_RETURN(const auto series, dataset.series());
  HEARTH_ASSIGN_OR_RETURN(const auto profiles, dataset.profiles());
  HEARTH_ASSIGN_OR_RETURN(out.symbols, dataset.symbols());
  out.series = *series;
  out.profile_series.assign(profiles->series.begin(), profiles->series.end());
  out.profile_start_ns.assign(profiles->start_ns.begin(), profiles->start_ns.end());
  out.profile_duration_ns.assign(profiles->duration_ns.begin(), profiles->duration_ns.end());
  out.profile_period.assign(profiles->period.begin(), profiles->period.end());
  out.profile_id.assign(profiles->ids.begin(), profiles->ids.end());
  const size_t types = out.family.types.size();
  const size_t keys = out.symbols->keys();
  out.row_begin = {0};
  std::vector<std::vector<int64_t>> by_key(types);
  for (uint32_t p = 0; p < profiles->size(); ++p) {
    for (size_t t = 0; t < types; ++t) {
      by_key[t].assign(keys, 0);
      HEARTH_RETURN_IF_ERROR(dataset.add_rows(std::span(&p, 1), t, by_key[t]));
    }
    for (uint32_t k = 0; k < keys; ++k) {
      const bool any =
          std::any_of(by_key.begin(), by_key.end(), [k](const auto& c) { return c[k] != 0; });
      if (!any) continue;
      out.row_key.push_back(k);
      for (size_t t = 0; t < types; ++t) out.row_value.push_back(by_key[t][k]);
    }
    out.row_begin.push_back(static_cast<uint32_t>(out.row_key.size()));
  }
  return out;
}

/// The same through the interface that compaction uses: all rows, run after run.
inline Result<storage::DatasetInput> visit_back(const storage::Dataset& dataset) {
  HEARTH_ASSIGN_OR_RETURN(storage::DatasetInput out, read_back(dataset));
  out.row_key.clear();
  out.row_value.clear();
  out.row_begin = {0};
  HEARTH_RETURN_IF_ERROR(dataset.visit_rows([&](const storage::RowRun& run) -> Status {
    HEARTH_CHECK(run.first_profile + 1 == out.row_begin.size(), "runs follow each other");
    for (const uint32_t rows : run.rows) out.row_begin.push_back(out.row_begin.back() + rows);
    for (size_t r = 0; r < run.key.size(); ++r) {
      out.row_key.push_back(run.key[r]);
      for (const auto& column : run.values) out.row_value.push_back(column[r]);
    }
    return {};
  }));
  return out;
}

/// The form of every row block of dataset 0.
inline std::vector<storage::RowForm> row_forms(const ObjectReader& object) {
  std::vector<storage::RowForm> forms;
  const auto directory = storage::read_segment_directory(object);
  HEARTH_CHECK(directory.has_value(), "read a directory");
  storage::CacheBudget budget(0);
  const storage::SegmentDataset dataset(object, directory->datasets[0], directory->label_bloom, {},
                                        budget, "");
  const auto index = dataset.profile_index();
  HEARTH_CHECK(index.has_value(), "read the profiles");
  for (const auto& block : (*index)->blocks) {
    const auto raw = dataset.raw_block(block);
    HEARTH_CHECK(raw.has_value(), "read a row block");
    forms.push_back(static_cast<storage::RowForm>(raw->front()));
  }
  return forms;
}

}  // namespace hearth::test
