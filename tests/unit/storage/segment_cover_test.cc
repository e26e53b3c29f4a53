// CROLL, CSTR and CLBL: what is right is compared with brute force in tests/property; here are
// covers that are wrong, or are not written.
#include "storage/segment_cover.h"
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

#include "base/crc32c.h"
#include "base/zstd_codec.h"
#include "storage/segment_directory.h"
#include "storage/segment_reader.h"
#include "storage/segment_verify.h"
#include "storage/segment_writer.h"
#include "support/catch.h"
#include "support/counter_gen.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"

namespace hearth::storage {
namespace {

constexpr const char* kKey = "segments/test";

/// Two datasets with equal keys, which a smaller one of another service follows.
std::vector<DatasetInput> three_datasets() {
  test::Dice dice(5);
  test::CounterShape shape;
  shape.heap = false;
  shape.keys = 12;
  shape.profiles = 5;
  std::vector<DatasetInput> out;
  for (int i = 0; i < 3; ++i) out.push_back(test::random_counters(dice, shape));
  out.back().service = "till";
  return out;
}

std::string write(const std::vector<DatasetInput>& datasets, size_t nodes_max) {
  SegmentWriter::Options options;
  options.object_key = kKey;
  options.rollup = true;
  return test::write_with(std::move(options), [&](SegmentWriter& writer) -> Status {
    for (size_t i = 0; i < datasets.size(); ++i) {
      if (i == 0 || datasets[i].service != datasets[i - 1].service) {
        HEARTH_RETURN_IF_ERROR(writer.close_cover());
        writer.open_cover(nodes_max);
      }
      HEARTH_RETURN_IF_ERROR(writer.add(datasets[i]));
    }
    return {};
  });
}

/// The segment with another directory.
std::string with_directory(std::string bytes, const std::function<void(SegmentDirectory&)>& edit) {
  const auto at =
      decode_tail(std::string_view(bytes).substr(bytes.size() - kTailBytes), bytes.size());
  REQUIRE(at);
  std::string raw;
  REQUIRE(zstd_decompress(std::string_view(bytes).substr(at->offset, at->stored), at->raw, raw));
  auto directory = decode_directory(raw, at->offset);
  REQUIRE(directory);
  edit(*directory);
  raw = encode_directory(*directory);
  const std::string stored = zstd_compress(raw, 1);
  bytes.resize(at->offset);
  return bytes + stored +
         encode_tail({at->offset, static_cast<uint32_t>(stored.size()),
                      static_cast<uint32_t>(raw.size()), crc32c(stored), kFormatMajor,
                      kFormatMinor});
}

SectionEntry& section(DatasetEntry& dataset, SectionKind kind) {
  return *std::ranges::find(dataset.sections, kind, &SectionEntry::kind);
}

std::vector<std::string> findings(const std::string& bytes) {
  return verify_segment(test::MemoryObject(bytes), kKey).findings;
}

bool finds(const std::string& bytes, std::string_view what) {
  const auto all = findings(bytes);
  UNSCOPED_INFO(fmt::format("{}", fmt::join(all, "; ")));
  return std::ranges::any_of(
      all, [&](const std::string& finding) { return finding.find(what) != std::string::npos; });
}

size_t covered(const std::string& bytes) {
  const auto reader = SegmentReader::open(std::make_unique<test::MemoryObject>(bytes), "");
  REQUIRE(reader);
  size_t count = 0;
  for (size_t i = 0; i < (*reader)->dataset_count(); ++i)
    count += (*reader)->dataset(i)->cover().rollup != nullptr ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("neighbours with equal keys have one rollup of them all", "[segment]") {
  const std::string bytes = write(three_datasets(), 1U << 20U);
  CHECK(covered(bytes) == 2);
  CHECK(findings(bytes).empty());
}

TEST_CASE("a rollup of several datasets that grows too large is left out", "[segment]") {
  const std::string bytes = write(three_datasets(), 3);
  CHECK(covered(bytes) == 0);
  CHECK(findings(bytes).empty());
}

TEST_CASE("verify finds a cover that is not the sum of its datasets", "[segment]") {
  auto datasets = three_datasets();
  datasets.back().service = datasets.front().service;
  SegmentWriter::Options options;
  options.object_key = kKey;
  options.rollup = true;
  // Begun too late: the first one is not in it.
  const std::string bytes = test::write_with(options, [&](SegmentWriter& writer) -> Status {
    HEARTH_RETURN_IF_ERROR(writer.add(datasets[0]));
    writer.open_cover(1U << 20U);
    HEARTH_RETURN_IF_ERROR(writer.add(datasets[1]));
    HEARTH_RETURN_IF_ERROR(writer.add(datasets[2]));
    return writer.close_cover();
  });
  CHECK(covered(bytes) == 3);
  CHECK(finds(bytes, "CROLL of datasets 0 to 2 is not what they add up to"));
}

TEST_CASE("verify finds a cover of one dataset, which no query uses", "[segment]") {
  const std::string bytes = with_directory(write(three_datasets(), 1U << 20U),
                                           [](auto& d) { d.datasets[0].info.service = "other"; });
  CHECK(covered(bytes) == 0);
  CHECK(finds(bytes, "dataset 1 has CROLL and is not the last of several"));
}

TEST_CASE("a damaged cover is an error that names its datasets", "[segment]") {
  std::string bytes = write(three_datasets(), 1U << 20U);
  (void)with_directory(
      bytes, [&](auto& d) { bytes[section(d.datasets[1], SectionKind::cover_roll).offset] ^= 1; });
  const auto reader = SegmentReader::open(std::make_unique<test::MemoryObject>(bytes), "");
  REQUIRE(reader);
  const auto rollup = (*reader)->dataset(0)->cover().rollup->rollup();
  REQUIRE(!rollup);
  CHECK(rollup.error().code == ErrorCode::data_loss);
  CHECK(rollup.error().message.find("datasets 0 to 1") != std::string::npos);
}

}  // namespace hearth::storage
