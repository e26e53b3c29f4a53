#include "symbols/symbol_delta.h"

#include "base/varint.h"
#include "support/catch.h"
#include "support/profile_gen.h"
#include "support/symbol_text.h"
#include "symbols/dictionary.h"

using namespace hearth;
using hearth::test::text_of;

namespace {

struct Recorded {
  std::vector<std::string> deltas;
  std::vector<std::string> texts;  // By key.
  std::vector<size_t> keys_after;  // Keys once delta i was taken.
};

Recorded record(size_t profiles) {
  test::ProfileShape shape;
  shape.samples = 30;
  shape.labelled_percent = 20;
  test::ProfileGen gen(11, shape);
  symbols::Dictionary dictionary({}, 1);
  Recorded out;
  std::vector<uint32_t> keys;
  for (size_t p = 0; p < profiles; ++p) {
    dictionary.map(gen.next(), keys);
    out.deltas.push_back(dictionary.take_delta());
    out.keys_after.push_back(dictionary.keys());
  }
  const auto tables = dictionary.tables();
  for (uint32_t key = 0; key < tables->keys(); ++key) out.texts.push_back(text_of(*tables, key));
  return out;
}

}  // namespace

TEST_CASE("nothing new gives no delta", "[symbols]") {
  symbols::Dictionary dictionary({}, 1);
  CHECK(dictionary.take_delta().empty());
  const ProfileBatch batch = test::ProfileGen(1).next();
  std::vector<uint32_t> keys;
  dictionary.map(batch, keys);
  CHECK_FALSE(dictionary.take_delta().empty());
  dictionary.map(batch, keys);
  CHECK(dictionary.take_delta().empty());
}

TEST_CASE("a delta that is cut anywhere is data loss and changes nothing", "[symbols]") {
  const std::string delta = record(1).deltas[0];
  symbols::Dictionary dictionary({}, 1);
  for (size_t size = 0; size < delta.size(); size += 1 + size / 50) {
    const Status status = dictionary.apply_delta(std::string_view(delta).substr(0, size));
    REQUIRE_FALSE(status);
    REQUIRE(status.error().code == ErrorCode::data_loss);
  }
  CHECK_FALSE(dictionary.apply_delta(delta + "x"));
  CHECK(dictionary.nodes() == 1);
  CHECK(dictionary.lost() == 0);
  CHECK(dictionary.apply_delta(delta));
}

TEST_CASE("a delta replayed twice is refused", "[symbols]") {
  const std::string delta = record(1).deltas[0];
  symbols::Dictionary dictionary({}, 1);
  REQUIRE(dictionary.apply_delta(delta));
  const size_t keys = dictionary.keys();
  CHECK_FALSE(dictionary.apply_delta(delta));
  CHECK(dictionary.keys() == keys);
}

TEST_CASE(
    "after a lost delta later ids keep their meaning, and what needs the lost entries is unknown",
    "[symbols]") {
  const Recorded recorded = record(6);
  for (size_t missing = 0; missing < 5; ++missing) {
    CAPTURE(missing);
    symbols::Dictionary dictionary({}, 2);
    for (size_t p = 0; p < recorded.deltas.size(); ++p) {
      if (p != missing) REQUIRE(dictionary.apply_delta(recorded.deltas[p]));
    }
    CHECK(dictionary.lost() > 0);
    REQUIRE(dictionary.keys() == recorded.texts.size());
    const auto tables = dictionary.tables();
    size_t unknown = 0;
    for (uint32_t key = 0; key < tables->keys(); ++key) {
      if (dictionary.is_known(key)) {
        REQUIRE(text_of(*tables, key) == recorded.texts[key]);
      } else {
        ++unknown;
      }
    }
    const size_t first = missing == 0 ? 0 : recorded.keys_after[missing - 1];
    CHECK(unknown >= recorded.keys_after[missing] - first);
    if (missing > 0) CHECK(unknown < tables->keys());
    CHECK_FALSE(dictionary.is_known(static_cast<uint32_t>(tables->keys())));
  }
}

TEST_CASE("nothing new is built on lost entries", "[symbols]") {
  test::ProfileShape shape;
  shape.samples = 30;
  const Recorded recorded = record(3);
  symbols::Dictionary dictionary({}, 2);
  REQUIRE(dictionary.apply_delta(recorded.deltas[1]));  // The first is lost.
  test::ProfileGen gen(11, shape);
  const ProfileBatch batch = gen.next();
  std::vector<uint32_t> keys;
  dictionary.map(batch, keys);
  const auto tables = dictionary.tables();
  for (size_t s = 0; s < keys.size(); ++s) {
    REQUIRE(dictionary.is_known(keys[s]));
    REQUIRE(text_of(*tables, keys[s]) == text_of(batch, s));
  }
}

TEST_CASE("a delta whose gap is implausible takes no memory", "[symbols]") {
  std::string delta(1, '\x01');
  for (const uint64_t size : {uint64_t{1} << 30U, uint64_t{0}, uint64_t{0}, uint64_t{1},
                              uint64_t{1}, uint64_t{1}, uint64_t{0}}) {
    put_varint(delta, size);
  }
  for (const uint64_t count : {1, 0, 0, 0, 0, 0, 0}) put_varint(delta, count);
  put_varint(delta, 1);
  delta += "x";
  REQUIRE(symbols::decode_delta(delta));
  symbols::Dictionary dictionary({}, 1);
  const size_t memory = dictionary.memory_bytes();
  const Status status = dictionary.apply_delta(delta);
  REQUIRE_FALSE(status);
  CHECK(status.error().code == ErrorCode::data_loss);
  CHECK(dictionary.memory_bytes() == memory);
}

TEST_CASE("references out of range are data loss", "[symbols]") {
  const auto with_function_name = [](uint64_t name) {
    std::string delta(1, '\x01');
    for (const uint64_t size : {1, 0, 0, 1, 1, 1, 0}) put_varint(delta, size);
    for (const uint64_t count : {1, 1, 0, 0, 0, 0, 0}) put_varint(delta, count);
    put_varint(delta, 1);
    delta += "f";
    put_svarint(delta, static_cast<int64_t>(name));
    put_svarint(delta, 0);
    put_svarint(delta, 0);
    put_svarint(delta, 7);
    return delta;
  };
  CHECK(symbols::decode_delta(with_function_name(1)));
  CHECK_FALSE(symbols::decode_delta(with_function_name(2)));
  CHECK_FALSE(symbols::decode_delta(with_function_name(UINT64_MAX)));
}

TEST_CASE("the worked example of docs/symbols.md is what is written", "[symbols]") {
  ProfileBatch b;
  for (const char* text : {"", "main", "work"}) b.add_string(text);
  b.sample_types.push_back({});
  b.functions = {{1, 2}, {1, 2}, {0, 0}, {0, 0}};
  b.locations = {{ProfileBatch::kNone, ProfileBatch::kNone}, {0, 0}, {0, 0}, {0, 1, 2}};
  b.lines = {{0, 1}, {3, 3}, {0, 0}};
  b.samples = {{0, 2}, {1, 0}, {1}, {0, 0}, {}};
  REQUIRE(b.validate());
  symbols::Dictionary dictionary({}, 1);
  std::vector<uint32_t> keys;
  dictionary.map(b, keys);
  const std::string want = std::string("\1\1\0\0\1\1\1\0\2\2\0\2\2\0\1\4main\4work", 25) +
                           std::string("\2\0\0\0\2\0\0\0\2\0\0\0\6\0\2\0\0\2\6\0\2\0\1\2\4\0", 26);
  CHECK(dictionary.take_delta() == want);
}
