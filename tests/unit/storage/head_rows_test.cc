#include "storage/head_rows.h"

#include <algorithm>
#include <map>

#include "base/saturate.h"
#include "storage/head_record.h"
#include "support/catch.h"
#include "support/profile_gen.h"

namespace hearth::storage {
namespace {

using test::Dice;

ProfileBatch batch_of(size_t types, const std::vector<std::vector<int64_t>>& samples) {
  ProfileBatch batch;
  batch.add_string("");
  batch.sample_types.resize(types);
  batch.samples.stack_begin.push_back(0);
  for (const auto& values : samples) {
    batch.samples.stack_begin.push_back(0);
    batch.samples.values.insert(batch.samples.values.end(), values.begin(), values.end());
  }
  return batch;
}

Rows collect(const ProfileBatch& batch, const std::vector<uint32_t>& keys) {
  std::vector<uint32_t> samples(keys.size());
  for (uint32_t i = 0; i < samples.size(); ++i) samples[i] = i;
  Rows rows;
  RowCollector().collect(batch, samples, keys, rows);
  return rows;
}

Rows round_trip(const Rows& rows) {
  std::string bytes;
  encode_rows(rows, bytes);
  Rows out;
  REQUIRE(decode_rows(bytes, rows.size(), rows.types, out));
  return out;
}

bool equal(const Rows& a, const Rows& b) {
  return a.types == b.types && a.keys == b.keys && a.values == b.values && a.totals == b.totals;
}

TEST_CASE("samples with equal keys are added up, rows without a value are dropped", "[head_rows]") {
  const Rows rows =
      collect(batch_of(2, {{1, 10}, {5, 0}, {2, 20}, {0, 0}, {-5, 0}}), {7, 3, 7, 9, 3});
  CHECK(rows.keys == std::vector<uint32_t>{7});
  CHECK(rows.values == std::vector<int64_t>{3, 30});
  CHECK(rows.totals == std::vector<int64_t>{3, 30});
}

TEST_CASE("only the chosen samples are taken", "[head_rows]") {
  const ProfileBatch batch = batch_of(1, {{1}, {2}, {4}});
  Rows rows;
  RowCollector().collect(batch, std::vector<uint32_t>{2, 0}, std::vector<uint32_t>{5, 6, 5}, rows);
  CHECK(rows.keys == std::vector<uint32_t>{5});
  CHECK(rows.totals == std::vector<int64_t>{5});
}

TEST_CASE("sums stop at the ends of 64 bits", "[head_rows]") {
  const Rows rows = collect(batch_of(1, {{INT64_MAX}, {INT64_MAX}, {1}}), {1, 1, 2});
  CHECK(rows.values == std::vector<int64_t>{INT64_MAX, 1});
  CHECK(rows.totals == std::vector<int64_t>{INT64_MAX});
}

TEST_CASE("rows are those of a naive sum, at every size, and survive encoding", "[head_rows]") {
  Dice dice(1);
  for (const size_t samples : {0, 1, 2, 63, 64, 65, 300, 5000}) {
    for (const uint32_t keys : {uint32_t{1}, uint32_t{200}, uint32_t{70'000}, UINT32_MAX}) {
      std::vector<std::vector<int64_t>> values;
      std::vector<uint32_t> sample_keys;
      std::map<uint32_t, std::vector<int64_t>> want;
      for (size_t s = 0; s < samples; ++s) {
        const auto count = static_cast<int64_t>(dice.below(4));
        values.push_back({count, count * 10'000'000, static_cast<int64_t>(dice.next())});
        if (dice.percent(30)) values.back() = {0, 0, 0};
        sample_keys.push_back(static_cast<uint32_t>(dice.below(keys)) +
                              (keys == UINT32_MAX ? 1 : 0));
        auto& row = want[sample_keys.back()];
        row.resize(3);
        for (size_t t = 0; t < 3; ++t) row[t] = add_saturating(row[t], values.back()[t]);
      }
      std::erase_if(want, [](const auto& row) { return row.second == std::vector<int64_t>(3); });
      const Rows rows = collect(batch_of(3, values), sample_keys);
      std::map<uint32_t, std::vector<int64_t>> got;
      for (size_t r = 0; r < rows.size(); ++r) {
        got[rows.keys[r]] = {rows.values.begin() + static_cast<long>(3 * r),
                             rows.values.begin() + static_cast<long>(3 * r + 3)};
      }
      CHECK(got == want);
      CHECK(std::ranges::is_sorted(rows.keys));
      CHECK(equal(round_trip(rows), rows));
    }
  }
}

TEST_CASE("the ends of 64 bits survive encoding", "[head_rows]") {
  for (const std::vector<int64_t>& values : {std::vector<int64_t>{INT64_MIN, INT64_MIN},
                                             {INT64_MIN, 0},
                                             {INT64_MAX, INT64_MIN},
                                             {INT64_MAX, -1}}) {
    const Rows rows = collect(batch_of(1, {{values[0]}, {values[1]}}), {0, UINT32_MAX});
    CHECK(equal(round_trip(rows), rows));
  }
}

TEST_CASE("the documented example has the documented bytes", "[head_rows]") {
  const Rows rows =
      collect(batch_of(2, {{1, 10'000'000}, {2, 20'000'000}, {1, 10'000'000}}), {3, 7, 8});
  std::string bytes;
  encode_rows(rows, bytes);
  CHECK(bytes == std::string("\x03\x03\x03\x00"
                             "\x01\x01\x03\x02\x04\x02"
                             "\x02\x80\xad\xe2\x04",
                             15));
}

TEST_CASE("one column of encoded rows is added by key", "[head_rows]") {
  const Rows rows = collect(batch_of(2, {{1, 10}, {2, 20}, {0, 7}}), {0, 4, 2});
  std::string bytes;
  encode_rows(rows, bytes);
  std::vector<int64_t> by_key{100, 0, 0, 0, INT64_MAX};
  REQUIRE(add_encoded_rows(bytes, 3, 2, 1, by_key));
  CHECK(by_key == std::vector<int64_t>{110, 0, 7, 0, INT64_MAX});
  CHECK(add_encoded_rows(bytes, 3, 2, 1, std::span(by_key).first(4)).error().code ==
        ErrorCode::data_loss);
  CHECK_FALSE(add_encoded_rows(bytes, 3, 2, 2, by_key));
}

TEST_CASE("damaged rows and records are errors, never more", "[head_rows]") {
  Dice dice(7);
  const Rows rows = collect(batch_of(2, {{1, 10}, {2, 20}, {3, 30}, {4, 4}}), {1, 2, 3, 300});
  const std::string value = encode_head_record(
      {encode_family({{{"a", "b"}, {"c", "d"}}, {"p", "q"}}), "", 1, 2, 3, {4, 5}}, rows);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = value;
    damaged[dice.below(damaged.size())] ^= static_cast<char>(1U << dice.below(8));
    if (dice.percent(20)) damaged.resize(dice.below(damaged.size() + 1));
    const auto record = HeadRecord::parse(damaged);
    if (!record) continue;
    Rows out;
    std::vector<int64_t> by_key(400);
    (void)decode_rows((*record)->row_bytes, (*record)->rows, 2, out);
    (void)add_encoded_rows((*record)->row_bytes, (*record)->rows, 2, 0, by_key);
    (void)decode_family((*record)->family);
  }
}

TEST_CASE("a record reads back as it was written", "[head_rows]") {
  const Rows rows = collect(batch_of(2, {{1, 10}}), {1});
  const Family family{{{"cpu", "nanoseconds"}, {"samples", "count"}}, {"cpu", "nanoseconds"}};
  const std::string bytes = encode_family(family);
  CHECK(*decode_family(bytes) == family);
  const auto record =
      HeadRecord::parse(encode_head_record({bytes, "series", -5, 10, 3, {1, 2}}, rows));
  REQUIRE(record);
  CHECK((*record)->family == bytes);
  CHECK((*record)->series == "series");
  CHECK((*record)->start_ns == -5);
  CHECK((*record)->duration_ns == 10);
  CHECK((*record)->period == 3);
  CHECK((*record)->id == Id128{1, 2});
  CHECK((*record)->rows == 1);
  CHECK((*record)->totals == rows.totals);
  CHECK_FALSE(HeadRecord::parse("\x02"));
  CHECK_FALSE(HeadRecord::parse(""));
}

}  // namespace
}  // namespace hearth::storage
