// Segments that released versions wrote must stay readable, and say the same.
// HEARTH_UPDATE_GOLDEN=1 rewrites the expected text; the test "[.write-golden]" writes the segment
// of a version that was not released yet.
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

#include "storage/segment_inspect.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/counter_gen.h"
#include "support/memory_object.h"
#include "support/read_file.h"
#include "support/worked_example.h"

namespace hearth::storage {
namespace {

/// The directory and, of the first datasets, every section.
std::string inspect_all(const ObjectReader& object, std::initializer_list<const char*> sections,
                        size_t datasets) {
  const auto directory = inspect_segment(object, {});
  REQUIRE(directory);
  std::string text = format_text(*directory);
  for (const char* section : sections) {
    for (size_t dataset = 0; dataset < datasets; ++dataset) {
      const auto table = inspect_segment(object, {section, dataset});
      REQUIRE(table);
      text += "\n" + format_text(*table);
    }
  }
  return text;
}

void check_golden(const std::string& version, std::initializer_list<const char*> sections,
                  size_t datasets) {
  const std::string base = std::string(HEARTH_GOLDEN_DIR) + "/segment/" + version;
  const test::MemoryObject object(test::read_file(base + ".seg"));
  const auto report = verify_segment(object, "segments/golden");
  INFO((report.findings.empty() ? "" : report.findings.front()));
  CHECK(report.findings.empty());
  const std::string text = inspect_all(object, sections, datasets);
  if (std::getenv("HEARTH_UPDATE_GOLDEN") != nullptr) std::ofstream(base + ".txt") << text;
  CHECK(text == test::read_file(base + ".txt"));
}

/// An hour of a Go heap with rows of all kinds, counters of another family, and the two examples.
std::string golden_1_1() {
  test::Dice dice(11);
  test::CounterShape shape;
  shape.keys = 20;
  shape.profiles = 12;
  shape.junk = 2;
  std::vector<DatasetInput> datasets = {test::random_counters(dice, shape)};
  shape.heap = false;
  datasets.push_back(test::random_counters(dice, shape));
  datasets[0].service = "heap";
  datasets[1].service = "queue";
  datasets.push_back(test::worked_example());
  datasets.push_back(test::worked_example_with_sizes());
  SegmentWriter::Options options;
  options.object_key = "segments/golden";
  options.level = 1;
  options.rollup = true;
  options.rollup_labels = {"pod"};
  return test::write_segment(datasets, options);
}

/// A service in two datasets with a rollup of both, and one in a single dataset.
std::string golden_cover() {
  test::Dice dice(17);
  test::CounterShape shape;
  shape.heap = false;
  shape.keys = 12;
  shape.profiles = 5;
  SegmentWriter::Options options;
  options.object_key = "segments/golden";
  options.level = 2;
  options.rollup = true;
  return test::write_with(std::move(options), [&](SegmentWriter& writer) -> Status {
    writer.open_cover(1U << 20U);
    HEARTH_RETURN_IF_ERROR(writer.add(test::random_counters(dice, shape)));
    HEARTH_RETURN_IF_ERROR(writer.add(test::random_counters(dice, shape)));
    HEARTH_RETURN_IF_ERROR(writer.close_cover());
    return writer.add(test::worked_example());
  });
}

}  // namespace

TEST_CASE("a segment written by version 1.0 stays readable", "[segment][golden]") {
  check_golden("v1.0",
               {"STR", "FUNC", "MAP", "LOC", "EDGE", "TREE", "KEYS", "LBL", "PROF", "BLKS", "ROWS"},
               2);
}

TEST_CASE("a segment written by version 1.1 stays readable", "[segment][golden]") {
  check_golden("v1.1", {"ROLL", "STR", "KEYS", "HEAP", "PROF", "BLKS", "ROWS"}, 4);
}

TEST_CASE("a segment with a rollup of several datasets stays readable", "[segment][golden]") {
  check_golden("cover", {"ROLL", "STR", "LBL", "CROLL"}, 3);
}

TEST_CASE("writes the segment of this version", "[.write-golden]") {
  std::ofstream(std::string(HEARTH_GOLDEN_DIR) + "/segment/v1.1.seg", std::ios::binary)
      << golden_1_1();
  std::ofstream(std::string(HEARTH_GOLDEN_DIR) + "/segment/cover.seg", std::ios::binary)
      << golden_cover();
}

}  // namespace hearth::storage
