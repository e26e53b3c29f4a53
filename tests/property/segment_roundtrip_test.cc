// Random datasets through writer and reader, against their meaning: the set of (profile, stack of
// frames, labels, values). Invariants: (1) what is written is read; (2) the bytes depend on the
// contents alone, not on numbering and order; (3) writing what was read gives the same bytes.
#include <algorithm>
#include <numeric>

#include "storage/segment_reader.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"

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

test::DatasetShape random_shape(test::Dice& dice) {
  test::DatasetShape shape;
  shape.strings = 2 + dice.below(80);
  shape.functions = 1 + dice.below(30);
  shape.mappings = 1 + dice.below(4);
  shape.locations = 2 + dice.below(60);
  shape.nodes = 1 + dice.below(400);
  shape.label_sets = 1 + dice.below(6);
  shape.keys = 1 + dice.below(300);
  shape.series = 1 + dice.below(5);
  shape.profiles = 1 + dice.below(dice.percent(10) ? 600 : 30);
  shape.rows = dice.below(80);
  shape.types = 1 + dice.below(4);
  shape.wide_values = dice.percent(30);
  shape.ids = dice.percent(80);
  return shape;
}

void check_round_trip(uint64_t seed) {
  INFO("seed " << seed);
  test::Dice dice(seed);
  const DatasetInput in = test::random_dataset(dice, random_shape(dice));
  const std::string bytes = test::write_segment(std::span(&in, 1));
  const auto reader = open(bytes);
  REQUIRE(reader->dataset_count() == 1);
  const auto back = test::read_back(*reader->dataset(0));
  INFO((back ? "" : back.error().message));
  REQUIRE(back);
  REQUIRE(test::meaning(*back) == test::meaning(in));

  const auto report = storage::verify_segment(test::MemoryObject(bytes), "segments/test");
  INFO((report.findings.empty() ? "" : report.findings.front()));
  REQUIRE(report.findings.empty());

  const DatasetInput other = test::shuffled(dice, in);
  REQUIRE(test::meaning(other) == test::meaning(in));
  const bool canonical = test::write_segment(std::span(&other, 1)) == bytes;
  REQUIRE(canonical);  // Without the bytes in the message.
}

}  // namespace

TEST_CASE("what a segment writer writes is what its reader reads, in any numbering", "[segment]") {
  for (uint64_t seed = 1; seed <= 300; ++seed) check_round_trip(seed);
}

}  // namespace hearth
