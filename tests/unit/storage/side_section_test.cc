// Side data as bytes: the example of docs/segment_format.md, what a decoder refuses, blocks, and
// the head record.
#include "storage/side_section.h"

#include <numeric>

#include "storage/head_record.h"
#include "storage/head_side.h"
#include "storage/segment_format.h"
#include "storage/segment_verify.h"
#include "support/catch.h"
#include "support/memory_object.h"
#include "support/segment_gen.h"
#include "support/small_batch.h"
#include "support/worked_example.h"

namespace hearth::storage {
namespace {

constexpr uint64_t kSpan = 0x00000bac2a5ab0c7;
constexpr uint64_t kOther = 0x1111111111111111;
const std::vector<int64_t> kStart = {100};

SideTable example() {
  return {{3}, {{3, kSpan, {}, 0}, {4, kSpan, {}, 107}, {4, kOther, {}, 0}}, {5, 2, 1}};
}

std::string bytes_of(std::string_view hex) {
  std::string out;
  std::string digits;
  for (const char c : hex) {
    if (c != ' ') digits += c;
    if (digits.size() < 2) continue;
    out.push_back(static_cast<char>(std::stoi(digits, nullptr, 16)));
    digits.clear();
  }
  return out;
}

std::string encode(const SideTable& side, std::span<const int64_t> start_ns = kStart,
                   size_t types = 1) {
  std::string out;
  encode_side_block({side.count, side.entries, side.values, start_ns, types}, out);
  return out;
}

Status decode(std::string_view raw, SideTable& out, size_t entries = 3, size_t keys = 5) {
  return decode_side_block(raw, {entries, keys, 1, kStart}, out);
}

bool refuses(const SideTable& side) {
  SideTable out;
  return !decode(encode(side), out, side.entries.size());
}

bool equal(const SideTable& a, const SideTable& b) {
  return a.count == b.count && a.entries == b.entries && a.values == b.values;
}

/// The worked example with side data of its first profile.
DatasetInput example_with_side() {
  DatasetInput in = test::worked_example();
  in.side.count.assign(in.profile_series.size(), 0);
  in.side.count[0] = 2;
  in.side.entries = {{in.row_key[0], kSpan, {1, 2}, 0}, {in.row_key[1], kOther, {}, 7}};
  in.side.values = {1, 10'000'000, 1, 10'000'000};
  return in;
}

}  // namespace

TEST_CASE("the example of the format page has these bytes", "[side]") {
  const std::string bytes = bytes_of(
      "05 01 03 04 00 03 01 00 02 10 00 00 0b ac 2a 5a b0 c7 11 11 11 11 11 11 11 11"
      "04 00 01 01 02 05 c7 01 0e c7 01 02 01 04 00 05 02 01");
  CHECK(encode(example()) == bytes);
  SideTable back;
  REQUIRE(decode(bytes, back));
  CHECK(equal(back, example()));
}

TEST_CASE("a side block that promises something else is refused", "[side]") {
  SideTable out;
  CHECK_FALSE(decode(encode(example()), out, 4));
  CHECK_FALSE(decode(encode(example()), out, 3, 4));  // Key 4 of 4.
  CHECK_FALSE(decode(encode(example()) + '\0', out));
  SideTable side = example();
  std::swap(side.entries[1], side.entries[2]);
  CHECK(refuses(side));
  side = example();
  side.entries[2] = side.entries[1];
  CHECK(refuses(side));
  side = example();
  side.values[1] = 0;
  CHECK(refuses(side));
  side = example();
  side.entries[0].span_id = 0;
  CHECK(refuses(side));
  CHECK_FALSE(refuses(example()));
}

TEST_CASE("no cut or flipped side block is read past its end", "[side]") {
  const std::string good = encode(example());
  SideTable out;
  for (size_t n = 0; n < good.size(); ++n) CHECK_FALSE(decode(good.substr(0, n), out));
  for (size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    if (decode(bad, out)) CHECK_FALSE(equal(out, example()));
  }
}

TEST_CASE("entries are sorted, equal ones added up, empty ones left out", "[side]") {
  const std::vector<SideEntry> entries = {{4, kSpan, {}, 0}, {1, 0, {}, 0},  {2, 0, {0, 1}, 0},
                                          {4, kSpan, {}, 0}, {1, 0, {}, -5}, {3, kSpan, {}, 0}};
  const std::vector<int64_t> values = {1, 2, 9, 9, INT64_MAX, 0, 3, 0, 1, 1, 0, 0};
  SideTable out;
  SideSorter().append(entries, values, 2, out);
  CHECK(out.count == std::vector<uint32_t>{3});
  CHECK(out.entries ==
        std::vector<SideEntry>{{1, 0, {}, -5}, {2, 0, {0, 1}, 0}, {4, kSpan, {}, 0}});
  CHECK(out.values == std::vector<int64_t>{1, 1, INT64_MAX, 0, 4, 2});
}

TEST_CASE("a selector asks for one of the spans and one of the traces", "[side]") {
  const SideEntry entry{0, kSpan, {1, 2}, 0};
  CHECK(SideSelector{{kSpan, kOther}, {}}.accepts(entry));
  CHECK(SideSelector{{}, {{1, 2}}}.accepts(entry));
  CHECK(SideSelector{{kSpan}, {{1, 2}}}.accepts(entry));
  CHECK_FALSE(SideSelector{{kOther}, {{1, 2}}}.accepts(entry));
  CHECK_FALSE(SideSelector{{}, {{2, 1}}}.accepts(entry));
}

TEST_CASE("blocks of side data cover all profiles and hold up to 65,536 entries", "[side]") {
  ProfileTable profiles;
  SideTable side;
  side.count = {0, 40'000, 0, 20'000, 0, 10'000, 70'000, 1, 0};
  for (size_t p = 0; p < side.count.size(); ++p) {
    profiles.series.push_back(0);
    profiles.start_ns.push_back(static_cast<int64_t>(p));
    for (uint32_t e = 0; e < side.count[p]; ++e) {
      side.entries.push_back({e / 2, 1 + e % 2, {}, 0});
      side.values.push_back(1);
    }
  }
  std::string bytes;
  REQUIRE(encode_side(side, profiles, 1, kSymbolZstdLevel, bytes));
  const auto section = SideSection::open(bytes, side.count.size());
  REQUIRE(section);
  CHECK(section->entries() == side.entries.size());
  CHECK(section->is_cut_as_written(side.count));
  std::vector<uint32_t> entries;
  SideTable back, block;
  for (const SideBlockInfo& b : section->blocks()) {
    entries.push_back(b.entries);
    REQUIRE(section->decode(b, profiles, 40'000, 1, block));
    back.count.insert(back.count.end(), block.count.begin(), block.count.end());
    back.entries.insert(back.entries.end(), block.entries.begin(), block.entries.end());
    back.values.insert(back.values.end(), block.values.begin(), block.values.end());
  }
  CHECK(entries == std::vector<uint32_t>{60'000, 10'000, 70'000, 1});
  CHECK(equal(back, side));
  CHECK_FALSE(SideSection::open(bytes, side.count.size() + 1));
  CHECK_FALSE(SideSection::open(bytes + '\0', side.count.size()));
  CHECK_FALSE(SideSection::open(bytes.substr(0, bytes.size() - 1), side.count.size()));
}

TEST_CASE("a segment with side data passes verification, one whose row is missing does not",
          "[side]") {
  DatasetInput in = example_with_side();
  const auto findings = [](const DatasetInput& input) {
    const std::string bytes = test::write_segment(std::span(&input, 1));
    return verify_segment(test::MemoryObject(bytes), "segments/test").findings;
  };
  CHECK(findings(in).empty());
  // The key of another profile's row: nothing but verification compares.
  for (const uint32_t key : in.row_key) {
    const auto end = in.row_key.begin() + in.row_begin[1];
    if (std::find(in.row_key.begin(), end, key) == end) in.side.entries[1].key = key;
  }
  REQUIRE(findings(in).size() == 1);
  CHECK(findings(in)[0].find("row that is not there") != std::string::npos);
}

TEST_CASE("a head record has side data behind its totals, and none at no price", "[side]") {
  Rows rows;
  rows.types = 1;
  rows.keys = {3, 4};
  rows.values = {9, 3};
  rows.totals = {12};
  const Family family{{{"cpu", "nanoseconds"}}, {"cpu", "nanoseconds"}};
  const std::string family_bytes = encode_family(family);
  const HeadRecordHeader header{family_bytes, {}, 100, 0, 0, {}};
  const std::string plain = encode_head_record(header, rows);
  CHECK(plain[0] == 1);
  CHECK(encode_head_record(header, rows, SideTable{{0}, {}, {}}) == plain);
  const auto record = HeadRecord::parse(encode_head_record(header, rows, example()));
  REQUIRE(record);
  CHECK((*record)->value[0] == 2);
  CHECK((*record)->side_entries == 3);
  Rows back;
  REQUIRE(decode_rows((*record)->row_bytes, 2, 1, back));
  CHECK(back.values == rows.values);
  SideTable side;
  REQUIRE(decode_side(**record, 5, side));
  CHECK(equal(side, example()));
  CHECK_FALSE(decode_side(**record, 4, side));
  REQUIRE(decode_side(**HeadRecord::parse(plain), 5, side));
  CHECK(side.empty());
}

TEST_CASE("side data of samples becomes shares of their rows", "[side]") {
  test::SmallBatch small;
  for (const int64_t value : {1, 2, 4, 0}) small.stack("a;b", value);
  small.batch.samples.side = {{0, kSpan, 0, 0, 0}, {1, kSpan, 0, 0, 0}, {3, kOther, 0, 0, 0}};
  const std::vector<uint32_t> keys = {7, 7, 8, 9};
  const std::vector<uint32_t> samples = {0, 1, 2, 3};
  Rows rows;
  RowCollector().collect(small.batch, samples, keys, rows);
  SideTable side;
  HeadSideCollector collector;
  collector.collect(small.batch, samples, keys, rows, side);
  CHECK(equal(side, {{1}, {{7, kSpan, {}, 0}}, {3}}));
  collector.collect(small.batch, std::span(samples).subspan(1), keys, rows, side);
  CHECK(equal(side, {{1}, {{7, kSpan, {}, 0}}, {2}}));
}

}  // namespace hearth::storage
