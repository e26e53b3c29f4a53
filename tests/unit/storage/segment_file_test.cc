#include <algorithm>
#include <numeric>
#include <optional>

#include "storage/segment_reader.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"
#include "support/worked_example.h"

namespace hearth::storage {
namespace {

Result<std::shared_ptr<const SegmentReader>> open(const std::string& bytes,
                                                  const std::string& key = "") {
  return SegmentReader::open(std::make_unique<test::MemoryObject>(bytes), key);
}

/// What queries can see of a segment, or nothing when any part of it answers an error.
std::optional<std::vector<std::vector<test::MeaningOfProfile>>> answers(const std::string& bytes) {
  const auto reader = open(bytes);
  if (!reader) return std::nullopt;
  std::vector<std::vector<test::MeaningOfProfile>> all;
  for (size_t i = 0; i < (*reader)->dataset_count(); ++i) {
    const auto back = test::read_back(*(*reader)->dataset(i));
    if (!back) return std::nullopt;
    all.push_back(test::meaning(*back));
  }
  return all;
}

std::string small_segment() {
  const std::vector<DatasetInput> datasets = {test::worked_example(),
                                              test::worked_example_with_sizes()};
  return test::write_segment(datasets);
}

}  // namespace

TEST_CASE("a segment is refused under another key than it was written for", "[segment]") {
  const std::string bytes = small_segment();
  REQUIRE(open(bytes, "segments/test"));
  const auto other = open(bytes, "segments/other");
  REQUIRE_FALSE(other);
  CHECK(other.error().code == ErrorCode::data_loss);
}

TEST_CASE("opening a segment and asking for what the directory knows reads once", "[segment]") {
  auto object = std::make_unique<test::MemoryObject>(small_segment());
  const test::MemoryObject& counted = *object;
  const auto reader = SegmentReader::open(std::move(object), "");
  REQUIRE(reader);
  CHECK((*reader)->dataset_count() == 2);
  const DatasetInfo& info = (*reader)->dataset_info(0);
  CHECK(info.profiles == 5);
  CHECK(info.keys == 5);
  CHECK(info.nodes == 9);
  CHECK(info.totals == std::vector<int64_t>{44, 440'000'000});
  CHECK(counted.reads == 1);
}

TEST_CASE("series and profile columns of a small dataset are decoded once", "[segment]") {
  auto object = std::make_unique<test::MemoryObject>(small_segment());
  const test::MemoryObject& counted = *object;
  const auto reader = SegmentReader::open(std::move(object), "");
  REQUIRE(reader);
  const auto dataset = (*reader)->dataset(0);
  REQUIRE(dataset->profiles());
  REQUIRE(dataset->series());
  const size_t reads = counted.reads;
  REQUIRE(dataset->profiles());
  REQUIRE(dataset->series());
  CHECK(counted.reads == reads);
}

TEST_CASE("rows of chosen profiles are added to the accumulator by key", "[segment]") {
  const auto reader = open(small_segment());
  REQUIRE(reader);
  const auto dataset = (*reader)->dataset(0);
  // Keys: E A B D C. Profiles 0 and 2 of the example.
  std::vector<int64_t> by_key(5, 100);
  const std::vector<uint32_t> chosen = {0, 2};
  REQUIRE(dataset->add_rows(chosen, 0, by_key));
  CHECK(by_key == std::vector<int64_t>{106, 113, 101, 103, 101});
  std::vector<int64_t> nanoseconds(5, INT64_MAX - 1);
  REQUIRE(dataset->add_rows(chosen, 1, nanoseconds));
  CHECK(nanoseconds[0] == INT64_MAX);  // Saturated.
  CHECK_FALSE(dataset->add_rows(chosen, 2, by_key));
  by_key.pop_back();
  CHECK_FALSE(dataset->add_rows(chosen, 0, by_key));
}

TEST_CASE("a period that no value is multiplied by may have any size", "[segment]") {
  DatasetInput in = test::worked_example();
  in.family.types.push_back({"objects", "count"});
  in.profile_period[1] = INT64_MAX;
  std::vector<int64_t> values;
  for (size_t p = 0; p + 1 < in.row_begin.size(); ++p) {
    for (size_t r = in.row_begin[p]; r < in.row_begin[p + 1]; ++r) {
      const int64_t samples = p == 1 ? 0 : 2 * in.row_value[2 * r];  // All even: a multiplier of 2.
      values.insert(values.end(), {samples, samples * 10'000'000, 1});
    }
  }
  in.row_value = values;
  const std::vector<DatasetInput> datasets = {in};
  const auto reader = open(test::write_segment(datasets));
  REQUIRE(reader);
  std::vector<int64_t> by_key(5, 0);
  const std::vector<uint32_t> chosen = {0, 1};
  REQUIRE((*reader)->dataset(0)->add_rows(chosen, 1, by_key));
  CHECK(by_key == std::vector<int64_t>{40'000'000, 140'000'000, 20'000'000, 0, 20'000'000});
}

TEST_CASE("the label filter knows what is stored and little else", "[segment]") {
  const auto reader = open(small_segment());
  REQUIRE(reader);
  const auto dataset = (*reader)->dataset(0);
  CHECK(dataset->may_have_label("service_name", "shop"));
  CHECK(dataset->may_have_label("absent", ""));
  size_t positives = 0;
  for (int i = 0; i < 1000; ++i)
    positives += dataset->may_have_label("pod", std::to_string(i)) ? 1 : 0;
  CHECK(positives < 100);
}

TEST_CASE("any flipped bit gives an error or the same answers, and verify finds it", "[segment]") {
  const std::string bytes = small_segment();
  const auto want = answers(bytes);
  REQUIRE(want);
  REQUIRE(verify_segment(test::MemoryObject(bytes), "segments/test").findings.empty());
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const unsigned bit : {0U, 3U, 7U}) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(static_cast<unsigned char>(damaged[at]) ^ (1U << bit));
      INFO("byte " << at << " bit " << bit);
      const auto got = answers(damaged);
      const bool same_or_error = !got || *got == *want;
      REQUIRE(same_or_error);
      REQUIRE_FALSE(verify_segment(test::MemoryObject(damaged), "segments/test").findings.empty());
    }
  }
}

TEST_CASE("a segment cut anywhere is refused", "[segment]") {
  const std::string bytes = small_segment();
  for (size_t n = 0; n < bytes.size(); ++n) REQUIRE_FALSE(open(bytes.substr(0, n)));
}

TEST_CASE("a segment of a later major version is left alone", "[segment]") {
  std::string bytes = small_segment();
  bytes[8] = 2;
  const auto reader = open(bytes);
  REQUIRE_FALSE(reader);
  CHECK(reader.error().code == ErrorCode::unimplemented);
}

TEST_CASE("a sink that fails ends the segment", "[segment]") {
  SegmentWriter writer(
      {}, [](std::string_view) { return Status(fail(ErrorCode::unavailable, "disk full")); });
  CHECK(writer.add(test::worked_example()).error().code == ErrorCode::unavailable);
  CHECK_FALSE(writer.finish());
}

TEST_CASE("a dataset whose columns contradict each other is not written", "[segment]") {
  std::string bytes;
  SegmentWriter writer({}, [&](std::string_view part) {
    bytes += part;
    return Status{};
  });
  DatasetInput in = test::worked_example();
  in.row_key[0] = 99;
  CHECK_FALSE(writer.add(in));
  in = test::worked_example();
  in.row_value.pop_back();
  CHECK_FALSE(writer.add(in));
  CHECK(bytes.empty());
  // The writer is still usable: nothing of the dataset was written.
  REQUIRE(writer.add(test::worked_example()));
  REQUIRE(writer.finish());
  CHECK(answers(bytes));
}

TEST_CASE("many profiles fill several row blocks and any choice of them adds up", "[segment]") {
  test::Dice dice(5);
  test::DatasetShape shape;
  shape.profiles = 700;
  shape.rows = 40;
  const DatasetInput in = test::random_dataset(dice, shape);
  const auto reader = open(test::write_segment(std::span(&in, 1)));
  REQUIRE(reader);
  const auto dataset = (*reader)->dataset(0);
  const auto columns = dataset->profiles();
  REQUIRE(columns);
  for (const uint64_t percent : {1U, 50U, 100U}) {
    std::vector<uint32_t> chosen;
    int64_t want = 0;
    for (uint32_t p = 0; p < 700; ++p) {
      if (!dice.percent(percent)) continue;
      chosen.push_back(p);
      want += (*columns)->totals[0][p];
    }
    std::vector<int64_t> by_key(dataset->info().keys);
    REQUIRE(dataset->add_rows(chosen, 0, by_key));
    CHECK(std::accumulate(by_key.begin(), by_key.end(), int64_t{0}) == want);
  }
}

}  // namespace hearth::storage
