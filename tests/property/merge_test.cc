// Random datasets, spread over random sources in random numberings, merged: the result must be,
// byte for byte, what a writer makes of all profiles at once. Nothing of how the profiles came may
// show.
#include <algorithm>
#include <numeric>

#include "storage/dataset_merge.h"
#include "storage/open_segment.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"

namespace hearth {
namespace {

using storage::DatasetInput;
using storage::DatasetMerge;
using storage::OpenSegment;
using test::Dice;

/// The profiles of `in` that `chosen` lists, with the same tables.
DatasetInput subset(const DatasetInput& in, const std::vector<uint32_t>& chosen) {
  DatasetInput out;
  out.tenant = in.tenant;
  out.service = in.service;
  out.family = in.family;
  out.series = in.series;
  out.symbols = in.symbols;
  out.row_begin = {0};
  const size_t types = in.family.types.size();
  for (const uint32_t p : chosen) {
    out.profile_series.push_back(in.profile_series[p]);
    out.profile_start_ns.push_back(in.profile_start_ns[p]);
    out.profile_duration_ns.push_back(in.profile_duration_ns[p]);
    out.profile_period.push_back(in.profile_period[p]);
    if (!in.profile_id.empty()) out.profile_id.push_back(in.profile_id[p]);
    for (size_t r = in.row_begin[p]; r < in.row_begin[p + 1]; ++r) {
      out.row_key.push_back(in.row_key[r]);
      for (size_t t = 0; t < types; ++t) out.row_value.push_back(in.row_value[r * types + t]);
    }
    out.row_begin.push_back(static_cast<uint32_t>(out.row_key.size()));
    if (in.side.count.empty()) continue;
    std::vector<uint32_t> all(in.side.count[p]);
    std::iota(all.begin(), all.end(), 0U);
    test::copy_side(in, p, all, {}, out.side);
  }
  return out;
}

std::unique_ptr<OpenSegment> open(const std::string& bytes) {
  auto segment = OpenSegment::open(std::make_unique<test::MemoryObject>(bytes), "");
  INFO((segment ? "" : segment.error().message));
  REQUIRE(segment);
  return std::move(*segment);
}

std::string write(const DatasetInput& in, const storage::CanonicalDataset& dataset) {
  storage::SegmentWriter::Options options;
  options.object_key = "segments/test";
  return test::write_with(std::move(options), [&](storage::SegmentWriter& writer) {
    return writer.add(in.tenant, in.service, in.family, dataset);
  });
}

/// `in` spread over 1 to 12 segments, each in a numbering of its own; some profiles go to two.
std::vector<std::unique_ptr<OpenSegment>> spread(Dice& dice, const DatasetInput& in,
                                                 uint64_t& repeated) {
  std::vector<std::vector<uint32_t>> shares(1 + dice.below(12));
  for (uint32_t p = 0; p < in.profile_series.size(); ++p) {
    const size_t share = dice.below(shares.size());
    shares[share].push_back(p);
    const size_t again = dice.below(shares.size());
    if (again == share || !dice.percent(10)) continue;
    shares[again].push_back(p);
    ++repeated;
  }
  std::vector<std::unique_ptr<OpenSegment>> segments;
  for (const auto& share : shares) {
    if (share.empty()) continue;
    const DatasetInput part = test::shuffled(dice, subset(in, share));
    segments.push_back(open(test::write_segment(std::span(&part, 1))));
  }
  return segments;
}

std::vector<const storage::SegmentDataset*> datasets(
    const std::vector<std::unique_ptr<OpenSegment>>& segments) {
  std::vector<const storage::SegmentDataset*> out;
  for (const auto& s : segments) out.push_back(&s->dataset(0));
  return out;
}

void check_merge(uint64_t seed) {
  INFO("seed " << seed);
  Dice dice(seed);
  const DatasetInput in = test::random_dataset(dice, test::random_shape(dice, 40, 900));
  uint64_t repeated = 0;
  const auto segments = spread(dice, in, repeated);
  DatasetMerge merge;
  REQUIRE(merge.open(datasets(segments), {}));
  CHECK(merge.duplicates() == repeated);
  CHECK(merge.profiles() == in.profile_series.size());
  REQUIRE(merge.parts() == 1);
  const auto merged = merge.part(0);
  INFO((merged ? "" : merged.error().message));
  REQUIRE(merged);
  const bool same = write(in, *merged) == test::write_segment(std::span(&in, 1));
  REQUIRE(same);  // Without the bytes in the message.
}

/// Reads every part back; each must pass verification.
std::vector<test::MeaningOfProfile> meaning_of_parts(const DatasetInput& in, DatasetMerge& merge,
                                                     uint64_t rows_max) {
  std::vector<test::MeaningOfProfile> out;
  int64_t last_ns = INT64_MIN;
  for (size_t i = 0; i < merge.parts(); ++i) {
    const auto merged = merge.part(i);
    REQUIRE(merged);
    const std::string bytes = write(in, *merged);
    const auto report = storage::verify_segment(test::MemoryObject(bytes), "segments/test");
    INFO((report.findings.empty() ? "" : report.findings.front()));
    REQUIRE(report.findings.empty());
    const auto segment = open(bytes);
    const storage::DatasetInfo& info = segment->dataset(0).info();
    CHECK(info.t_min_ns >= last_ns);
    CHECK((info.rows <= rows_max || info.profiles == 1));
    last_ns = info.t_max_ns;
    const auto back = test::read_back(segment->dataset(0));
    REQUIRE(back);
    const auto part = test::meaning(*back);
    out.insert(out.end(), part.begin(), part.end());
  }
  std::sort(out.begin(), out.end());
  return out;
}

void check_parts(uint64_t seed) {
  INFO("seed " << seed);
  Dice dice(seed);
  const DatasetInput in = test::random_dataset(dice, test::random_shape(dice, 40, 900));
  uint64_t repeated = 0;
  const auto segments = spread(dice, in, repeated);
  // Two windows side by side, each in parts of few rows, without ids.
  const int64_t border = in.profile_start_ns[dice.below(in.profile_start_ns.size())];
  const uint64_t rows_max = 1 + dice.below(500);
  std::vector<test::MeaningOfProfile> all;
  for (const bool later : {false, true}) {
    DatasetMerge merge;
    DatasetMerge::Options options;
    options.keep_ids = false;
    options.limits.rows = rows_max;
    (later ? options.begin_ns : options.last_ns) = later ? border + 1 : border;
    REQUIRE(merge.open(datasets(segments), options));
    const auto half = meaning_of_parts(in, merge, rows_max);
    all.insert(all.end(), half.begin(), half.end());
  }
  auto expected = test::meaning(in);
  for (auto& profile : expected) profile.id = {};
  std::sort(expected.begin(), expected.end());
  std::sort(all.begin(), all.end());
  REQUIRE(all == expected);
}

}  // namespace

TEST_CASE("merged segments are what a writer makes of all their profiles", "[compact]") {
  for (uint64_t seed = 1; seed <= 200; ++seed) check_merge(seed);
}

TEST_CASE("windows and parts of a merge hold every profile once", "[compact]") {
  for (uint64_t seed = 1; seed <= 150; ++seed) check_parts(seed);
}

}  // namespace hearth
