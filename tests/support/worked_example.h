#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/owned_symbols.h"
#include "storage/segment_writer.h"
#include "support/segment_gen.h"

namespace hearth::test {

/// The dataset of the example in docs/segment_format.md: five profiles; stacks A main;run;parse in
/// 5 of them, B main;run;send in 3, C main;run;parse;run;send in 1, D main;idle;wait in 1, E gc
/// in 4. `sizes`: A occurs with the label bytes=48 four times and with bytes=1024 once.
inline storage::DatasetInput make_worked_example(bool sizes) {
  auto s = std::make_shared<storage::OwnedSymbols>();
  const std::vector<std::string> names = {"gc", "idle", "main", "parse", "run", "send", "wait"};
  std::vector<std::string> strings = {""};
  strings.insert(strings.end(), names.begin(), names.end());
  strings.emplace_back("bytes");
  s->strings = make_strings(strings);
  s->location_mapping = {0};
  s->location_address = {0};
  s->location_folded = {0};
  s->line_begin = {0, 0};
  for (uint32_t i = 0; i < names.size(); ++i) {
    s->function_name.push_back(i + 1);
    s->function_system_name.push_back(i + 1);
    s->function_file.push_back(0);
    s->function_start_line.push_back(0);
    s->location_mapping.push_back(0);
    s->location_address.push_back(0);
    s->location_folded.push_back(0);
    s->line_function.push_back(i);
    s->line_number.push_back(static_cast<int64_t>(10 * (i + 1)));
    s->line_column.push_back(0);
    s->line_begin.push_back(i + 1);
  }
  // Nodes in order of arrival: main run parse | send | run send | idle wait | gc.
  s->node_parent = {0, 0, 1, 2, 2, 3, 5, 1, 7, 0};
  s->node_location = {0, 3, 5, 4, 6, 5, 6, 2, 7, 1};
  s->key_node = {3, 4, 6, 8, 9, 3};  // A B C D E, and A once more.
  s->key_labels = {0, 0, 0, 0, 0, 0};
  s->label_begin = {0, 0};
  if (sizes) {
    s->key_labels[0] = 1;
    s->key_labels[5] = 2;
    s->label_begin = {0, 0, 1, 2};
    s->label_key = {8, 8};
    s->label_str = {0, 0};
    s->label_num = {48, 1024};
    s->label_unit = {0, 0};
  }
  storage::DatasetInput in;
  in.tenant = "anonymous";
  in.service = "shop";
  in.family = {{{"samples", "count"}, {"cpu", "nanoseconds"}}, {"cpu", "nanoseconds"}};
  in.series.push_back(*LabelSet::make({{"__name__", "process_cpu"}, {"service_name", "shop"}}));
  in.symbols = storage::share_tables(s);
  enum : uint32_t { A, B, C, D, E, A2 };
  const std::vector<std::vector<std::pair<uint32_t, int64_t>>> profiles = {
      {{E, 2}, {A, 7}, {B, 1}, {C, 1}},
      {{A, 5}, {B, 2}, {E, 1}},
      {{A, 6}, {D, 3}, {E, 4}},
      {{A, 1}, {B, 1}},
      {{sizes ? A2 : A, 9}, {E, 1}}};
  in.row_begin = {0};
  for (size_t p = 0; p < profiles.size(); ++p) {
    in.profile_series.push_back(0);
    in.profile_start_ns.push_back(1'700'000'000'000'000'000 +
                                  static_cast<int64_t>(p) * 10'000'000'000);
    in.profile_duration_ns.push_back(10'000'000'000);
    in.profile_period.push_back(10'000'000);
    in.profile_id.push_back({0x1111, p + 1});
    for (const auto& [key, count] : profiles[p]) {
      in.row_key.push_back(key);
      in.row_value.insert(in.row_value.end(), {count, count * 10'000'000});
    }
    in.row_begin.push_back(static_cast<uint32_t>(in.row_key.size()));
  }
  return in;
}

inline storage::DatasetInput worked_example() {
  return make_worked_example(false);
}
inline storage::DatasetInput worked_example_with_sizes() {
  return make_worked_example(true);
}

}  // namespace hearth::test
