// Row blocks in every form, hostile values included, against their rows: (1) what decodes is what
// was encoded; (2) sums of any choice of profiles are those of the rows; (3) counters of Go heap
// rows give back exactly the values, and values that no counters give are never changed.
#include <algorithm>
#include <numeric>
#include <set>

#include "base/saturate.h"
#include "storage/head_rows.h"
#include "storage/heap_scale.h"
#include "storage/row_adder.h"
#include "storage/row_block.h"
#include "storage/segment_reader.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/counter_gen.h"
#include "support/memory_object.h"

namespace hearth::storage {
namespace {

constexpr size_t kKeys = 40;

/// Columns of a block, owned.
struct Block {
  std::vector<uint32_t> rows, key;
  std::vector<int64_t> period;
  std::vector<std::vector<int64_t>> values;
  [[nodiscard]] RowBlockView view() const {
    RowBlockView v{rows, period, key, {}};
    for (const auto& column : values) v.values.emplace_back(column);
    return v;
  }
};

int64_t hostile_value(test::Dice& dice) {
  static constexpr int64_t kEdges[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1, -1, 1, UINT32_MAX};
  if (dice.percent(20)) return kEdges[dice.below(std::size(kEdges))];
  return static_cast<int64_t>(dice.next()) >> dice.below(64);
}

/// Profiles that share rows with the one before, sometimes; no row is all zero.
Block random_block(test::Dice& dice, size_t types, bool hostile) {
  Block b;
  b.values.resize(types);
  std::vector<std::vector<int64_t>> now(kKeys);
  const uint64_t change = dice.below(101);
  for (size_t p = dice.below(6) + 1; p > 0; --p) {
    for (auto& row : now) {
      if (!dice.percent(change)) continue;
      row.assign(types, 0);
      if (dice.percent(30)) continue;
      for (int64_t& v : row)
        v = hostile ? hostile_value(dice) : static_cast<int64_t>(dice.below(5));
    }
    uint32_t rows = 0;
    for (uint32_t k = 0; k < kKeys; ++k) {
      if (std::ranges::all_of(now[k], [](int64_t v) { return v == 0; })) continue;
      ++rows;
      b.key.push_back(k);
      for (size_t t = 0; t < types; ++t) b.values[t].push_back(now[k][t]);
    }
    b.rows.push_back(rows);
    b.period.push_back(dice.percent(50) ? 10'000'000 : hostile_value(dice));
  }
  return b;
}

/// The naive sums. Order matters where they saturate: the order of profiles.
std::vector<int64_t> sums(const Block& b, size_t type, std::span<const uint32_t> chosen) {
  std::vector<int64_t> by_key(kKeys);
  size_t row = 0;
  for (uint32_t p = 0; p < b.rows.size(); ++p) {
    const bool is_chosen = std::ranges::binary_search(chosen, p);
    for (const size_t end = row + b.rows[p]; row < end; ++row) {
      if (is_chosen) by_key[b.key[row]] = add_saturating(by_key[b.key[row]], b.values[type][row]);
    }
  }
  return by_key;
}

void check_form(test::Dice& dice, const Block& b, RowForm form, bool compare_sums) {
  const std::string raw = encode_row_block(b.view(), form);
  RowAdder adder;
  REQUIRE(parse_row_block(raw, b.rows.size(), b.key.size(), b.values.size(), adder.parsed));
  DecodedRowBlock decoded;
  REQUIRE(decode_row_block(adder.parsed, b.rows, b.period, kKeys, nullptr, decoded));
  REQUIRE(decoded.key == b.key);
  REQUIRE(decoded.values == b.values);
  if (!compare_sums) return;
  std::vector<uint32_t> chosen;
  for (uint32_t p = 0; p < b.rows.size(); ++p) {
    if (dice.percent(60)) chosen.push_back(p);
  }
  for (size_t t = 0; t < b.values.size(); ++t) {
    std::vector<int64_t> by_key(kKeys);
    REQUIRE(adder.add(adder.parsed, t, 0, b.rows, b.period, chosen, by_key));
    REQUIRE(by_key == sums(b, t, chosen));
  }
}

}  // namespace

TEST_CASE("row blocks in the plain and the chained form decode to what they were made of",
          "[segment]") {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    INFO("seed " << seed);
    test::Dice dice(seed);
    const bool hostile = dice.percent(50);
    const Block b = random_block(dice, 1 + dice.below(4), hostile);
    // Sums that saturate depend on the order, which differs for a value added several times.
    for (const RowForm form : {RowForm::plain, RowForm::chained})
      check_form(dice, b, form, !hostile);
  }
}

TEST_CASE("counters of a heap row come back from the values that the runtime prints", "[segment]") {
  test::Dice dice(7);
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t size = 1 + (dice.next() >> (30 + dice.below(34)));
    const int64_t rate = dice.percent(20) ? static_cast<int64_t>(dice.below(3)) : 524'288;
    const HeapScale scale{static_cast<double>(size), heap_scale_factor(size, rate)};
    const auto allocs = static_cast<int64_t>(dice.next() >> (34 + dice.below(30)));
    const HeapCounts counts{allocs,
                            static_cast<int64_t>(dice.below(static_cast<uint64_t>(allocs) + 1))};
    const auto values = scale_heap(counts, scale);
    INFO("size " << size << " rate " << rate << " allocs " << allocs << " frees " << counts.frees);
    // What does not fit takes no part: the runtime's product would be cut to nonsense, too.
    if (!values) continue;
    const auto back = unscale_heap(*values, scale);
    // Nor do values beyond 2^52: their product is rounded before it is cut.
    if (values->alloc_space > kHeapValueMax || values->alloc_objects > kHeapValueMax) continue;
    REQUIRE(back);
    REQUIRE(back->allocs == counts.allocs);
    REQUIRE(back->frees == counts.frees);
  }
}

TEST_CASE("values that no counters give are not taken for counters", "[segment]") {
  test::Dice dice(8);
  size_t taken = 0;
  for (int i = 0; i < 200'000; ++i) {
    const HeapScale scale{48, heap_scale_factor(48, 524'288)};
    HeapValues v = *scale_heap({static_cast<int64_t>(dice.below(100)), 0}, scale);
    v.inuse_objects = v.alloc_objects;
    v.inuse_space = v.alloc_space;
    for (int64_t* field : {&v.alloc_objects, &v.alloc_space, &v.inuse_objects, &v.inuse_space}) {
      if (dice.percent(30)) *field += static_cast<int64_t>(dice.below(3)) - 1;
      if (dice.percent(3)) *field = hostile_value(dice);
    }
    const auto counts = unscale_heap(v, scale);
    if (!counts) continue;
    ++taken;
    REQUIRE(scale_heap(*counts, scale) == v);
  }
  CHECK(taken > 1000);
}

TEST_CASE("segments of counters, Go heaps and others, are read as they were written", "[segment]") {
  std::set<RowForm> forms;
  for (uint64_t seed = 1; seed <= 150; ++seed) {
    INFO("seed " << seed);
    test::Dice dice(seed);
    test::CounterShape shape;
    shape.series = 1 + dice.below(3);
    shape.profiles = 1 + dice.below(40);
    shape.heap = dice.percent(70);
    shape.junk = dice.percent(50) ? 0 : dice.below(30);
    shape.change = dice.below(60);
    const DatasetInput in = test::random_counters(dice, shape);
    const std::string bytes = test::write_segment(std::span(&in, 1));
    const test::MemoryObject object(bytes);
    const auto report = verify_segment(object, "segments/test");
    INFO((report.findings.empty() ? "" : report.findings.front()));
    REQUIRE(report.findings.empty());
    const auto reader = SegmentReader::open(std::make_unique<test::MemoryObject>(bytes), "");
    REQUIRE(reader);
    const auto dataset = (*reader)->dataset(0);
    const auto back = test::read_back(*dataset);
    INFO((back ? "" : back.error().message));
    REQUIRE(back);
    REQUIRE(test::meaning(*back) == test::meaning(in));
    const auto visited = test::visit_back(*dataset);
    REQUIRE(visited);
    REQUIRE(test::meaning(*visited) == test::meaning(in));
    const DatasetInput other = test::shuffled(dice, in);
    const bool canonical = test::write_segment(std::span(&other, 1)) == bytes;
    REQUIRE(canonical);
    for (const RowForm form : test::row_forms(object)) forms.insert(form);
  }
  CHECK(forms.size() == 3);
}

}  // namespace hearth::storage
