// Random datasets through writer and reader, against their meaning: the set of (profile, stack of
// frames, labels, values). Invariants: (1) what is written is read; (2) the bytes depend on the
// contents alone, not on numbering and order; (3) writing what was read gives the same bytes; (4) a
// rollup holds the sums.
#include <algorithm>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "storage/rollup.h"
#include "storage/segment_reader.h"
#include "storage/segment_verify.h"
#include "storage/symbol_order.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/profile_gen.h"
#include "support/segment_gen.h"
#include "symbols/dictionary.h"

namespace hearth {
namespace {

using storage::DatasetInput;
using storage::SegmentReader;

std::shared_ptr<const SegmentReader> open(const std::string& bytes) {
  auto reader = SegmentReader::open(std::make_unique<test::MemoryObject>(bytes), "segments/test");
  INFO((reader ? "" : reader.error().message));
  REQUIRE(reader);
  return *reader;
}

test::DatasetShape shape_with_or_without_ids(test::Dice& dice) {
  test::DatasetShape shape = test::random_shape(dice, 30, 600);
  shape.ids = dice.percent(80);
  return shape;
}

/// Value per path of function names (outermost first), for the profiles whose series has
/// label=value; every profile for an empty label.
std::map<std::string, std::vector<int64_t>> naive_rollup(const DatasetInput& in,
                                                         const std::string& label,
                                                         const std::string& value) {
  const symbols::SymbolTables& t = *in.symbols;
  std::map<std::string, std::vector<std::vector<int64_t>>> values;
  const size_t types = in.family.types.size();
  for (size_t p = 0; p < in.profile_series.size(); ++p) {
    if (in.series[in.profile_series[p]].get(label) != value) continue;
    for (size_t r = in.row_begin[p]; r < in.row_begin[p + 1]; ++r) {
      std::string path;
      for (uint32_t n = t.key_node[in.row_key[r]]; n != 0; n = t.node_parent[n]) {
        const uint32_t l = t.node_location[n];
        for (uint32_t i = t.line_begin[l]; i < t.line_begin[l + 1]; ++i)
          path.insert(0, std::string(t.strings[t.function_name[t.line_function[i]]]) + "\n");
      }
      auto& columns = values[path];
      columns.resize(types);
      for (size_t type = 0; type < types; ++type)
        columns[type].push_back(in.row_value[r * types + type]);
    }
  }
  std::map<std::string, std::vector<int64_t>> out;
  for (const auto& [path, columns] : values) {
    std::vector<int64_t> sums;
    for (const auto& column : columns) sums.push_back(storage::saturating_sum(column));
    if (std::ranges::any_of(sums, [](int64_t v) { return v != 0; })) out[path] = sums;
  }
  return out;
}

/// The same of a decoded rollup.
std::map<std::string, std::vector<int64_t>> rollup_paths(const storage::Rollup& rollup,
                                                         size_t group, size_t types) {
  std::vector<std::string> path(rollup.nodes());
  for (size_t n = 1; n < path.size(); ++n)
    path[n] = path[rollup.node_parent[n]] + std::string(rollup.names[rollup.node_name[n]]) + "\n";
  std::map<std::string, std::vector<int64_t>> out;
  for (size_t t = 0; t < types; ++t) {
    std::vector<int64_t> self(rollup.nodes());
    rollup.add(group, t, self);
    for (size_t n = 0; n < self.size(); ++n) {
      if (self[n] == 0 && !out.contains(path[n])) continue;
      out[path[n]].resize(types);
      out[path[n]][t] = self[n];
    }
  }
  return out;
}

void check_rollup(uint64_t seed) {
  INFO("seed " << seed);
  test::Dice dice(seed);
  test::DatasetShape shape = shape_with_or_without_ids(dice);
  shape.wide_values = false;
  const DatasetInput in = test::random_dataset(dice, shape);
  const size_t types = in.family.types.size();
  const std::string bytes = test::write_segment_with_rollup(in, {"pod"});
  const auto report = storage::verify_segment(test::MemoryObject(bytes), "segments/test");
  INFO((report.findings.empty() ? "" : report.findings.front()));
  REQUIRE(report.findings.empty());
  const auto dataset = open(bytes)->dataset(0);
  REQUIRE(dataset->has_rollup());
  const auto rollup = dataset->rollup();
  INFO((rollup ? "" : rollup.error().message));
  REQUIRE(rollup);
  const storage::Rollup& r = **rollup;
  for (size_t n = 1; n < r.nodes(); ++n) {
    REQUIRE(r.node_parent[n] < n);
    const bool first_child = r.node_parent[n] == n - 1;
    REQUIRE((first_child || r.node_parent[n] <= r.node_parent[n - 1]));
  }
  REQUIRE(r.find_group("pod", "no such pod") == r.groups.size());
  for (size_t g = 0; g < r.groups.size(); ++g) {
    REQUIRE(r.find_group(r.groups[g].name, r.groups[g].value) == g);
    REQUIRE(rollup_paths(r, g, types) == naive_rollup(in, r.groups[g].name, r.groups[g].value));
  }
  const DatasetInput other = test::shuffled(dice, in);
  const bool canonical = test::write_segment_with_rollup(other, {"pod"}) == bytes;
  REQUIRE(canonical);
}

/// Value per stack of the side data of profile `p` that the selector accepts.
std::map<std::string, int64_t> naive_side(const DatasetInput& in, size_t p, size_t type,
                                          const storage::SideSelector& selector) {
  std::map<std::string, std::vector<int64_t>> values;
  const size_t types = in.family.types.size();
  const auto* const count = in.side.count.data();
  const size_t begin = std::accumulate(count, count + p, size_t{0});
  for (size_t e = begin; e < begin + count[p]; ++e) {
    const storage::SideEntry& entry = in.side.entries[e];
    const auto listed = [](const auto& ids, const auto& id) {
      return ids.empty() || std::ranges::find(ids, id) != ids.end();
    };
    if (listed(selector.spans, entry.span_id) && listed(selector.traces, entry.trace_id))
      values[test::key_text(*in.symbols, entry.key)].push_back(in.side.values[e * types + type]);
  }
  std::map<std::string, int64_t> out;
  for (const auto& [key, parts] : values) {
    if (const int64_t sum = storage::saturating_sum(parts); sum != 0) out[key] = sum;
  }
  return out;
}

/// Spans and traces of the dice that drew the entries, and now and then one that nobody has.
storage::SideSelector random_selector(test::Dice& dice) {
  storage::SideSelector selector;
  const size_t kind = dice.below(3);
  for (uint64_t span = 1; span < 8 && kind != 1; ++span) {
    if (dice.percent(30)) selector.spans.push_back(span * 0x1111'1111'1111'1111);
  }
  for (uint64_t i = 1; i < 8 && kind != 0; ++i) {
    if (dice.percent(30)) selector.traces.push_back({i / 3, i % 3 << 60U});
  }
  if (selector.empty()) selector.spans.push_back(0x2222'2222'2222'2222);
  return selector;
}

/// Input profiles by their place in the segment: ids, which are unique, tell.
std::map<Id128, size_t> places(const DatasetInput& in) {
  std::map<Id128, size_t> out;
  for (size_t p = 0; p < in.profile_id.size(); ++p) out[in.profile_id[p]] = p;
  return out;
}

void check_side(uint64_t seed) {
  INFO("seed " << seed);
  test::Dice dice(seed);
  test::DatasetShape shape = test::random_shape(dice, 30, 600);
  shape.wide_values = false;  // Sums cut in another order would differ.
  const DatasetInput in = test::random_dataset(dice, shape);
  const std::string bytes = test::write_segment(std::span(&in, 1));
  const auto dataset = open(bytes)->dataset(0);
  if (in.side.entries.empty()) REQUIRE_FALSE(dataset->has_side());
  const auto columns = dataset->profiles();
  const auto tables = dataset->symbols();
  REQUIRE(columns);
  REQUIRE(tables);
  const auto place = places(in);
  for (int round = 0; round < 5; ++round) {
    const storage::SideSelector selector = random_selector(dice);
    const size_t type = dice.below(shape.types);
    std::vector<uint32_t> chosen;
    std::map<std::string, int64_t> want;
    for (uint32_t p = 0; p < (*columns)->size(); ++p) {
      if (dice.percent(30)) continue;
      chosen.push_back(p);
      if (in.side.count.empty()) continue;
      const size_t at = place.at((*columns)->ids[p]);
      for (const auto& [key, value] : naive_side(in, at, type, selector)) want[key] += value;
    }
    std::vector<int64_t> by_key((*tables)->keys());
    REQUIRE(dataset->add_side_rows(chosen, type, selector, by_key));
    std::map<std::string, int64_t> got;
    for (uint32_t k = 0; k < by_key.size(); ++k) {
      if (by_key[k] != 0) got[test::key_text(**tables, k)] += by_key[k];
    }
    REQUIRE(got == want);
  }
}

void check_round_trip(uint64_t seed) {
  INFO("seed " << seed);
  test::Dice dice(seed);
  const DatasetInput in = test::random_dataset(dice, shape_with_or_without_ids(dice));
  const std::string bytes = test::write_segment(std::span(&in, 1));
  const auto reader = open(bytes);
  REQUIRE(reader->dataset_count() == 1);
  const auto back = test::read_back(*reader->dataset(0));
  INFO((back ? "" : back.error().message));
  REQUIRE(back);
  REQUIRE(test::meaning(*back) == test::meaning(in));
  const auto visited = test::visit_back(*reader->dataset(0));
  REQUIRE(visited);
  REQUIRE(test::meaning(*visited) == test::meaning(in));

  const auto report = storage::verify_segment(test::MemoryObject(bytes), "segments/test");
  INFO((report.findings.empty() ? "" : report.findings.front()));
  REQUIRE(report.findings.empty());

  const DatasetInput other = test::shuffled(dice, in);
  REQUIRE(test::meaning(other) == test::meaning(in));
  const bool canonical = test::write_segment(std::span(&other, 1)) == bytes;
  REQUIRE(canonical);  // Without the bytes in the message.

  storage::SymbolOrder order;
  order.extend(*other.symbols);
  DatasetInput ordered = other;
  ordered.order = &order;
  const bool same = test::write_segment(std::span(&ordered, 1)) == bytes;
  REQUIRE(same);
}

void check_order(uint64_t seed) {
  INFO("seed " << seed);
  test::ProfileGen gen(seed);
  symbols::Dictionary dictionary({}, seed);
  storage::SymbolOrder grown;
  std::vector<uint32_t> keys;
  for (int p = 0; p < 10; ++p) {
    dictionary.map(gen.next(), keys);
    if (gen.dice().percent(60)) grown.extend(*dictionary.tables());
  }
  grown.extend(*dictionary.tables());
  storage::SymbolOrder at_once;
  at_once.extend(*dictionary.tables());
  CHECK(std::ranges::equal(grown.strings(), at_once.strings()));
  CHECK(std::ranges::equal(grown.functions(), at_once.functions()));
  CHECK(std::ranges::equal(grown.mappings(), at_once.mappings()));
  CHECK(std::ranges::equal(grown.locations(), at_once.locations()));
  CHECK(at_once.locations().size() + 1 == dictionary.tables()->locations());
}

}  // namespace

TEST_CASE("what a segment writer writes is what its reader reads, in any numbering", "[segment]") {
  for (uint64_t seed = 1; seed <= 300; ++seed) check_round_trip(seed);
}

TEST_CASE("the order of a dictionary's symbols is the same however it grew", "[segment]") {
  for (uint64_t seed = 1; seed <= 50; ++seed) check_order(seed);
}

TEST_CASE("side data adds up to what the entries of a span or trace hold", "[segment]") {
  for (uint64_t seed = 1; seed <= 200; ++seed) check_side(seed);
}

TEST_CASE("a rollup has the sum of the rows for every path of names and every group", "[segment]") {
  for (uint64_t seed = 1; seed <= 150; ++seed) check_rollup(seed);
}

}  // namespace hearth
