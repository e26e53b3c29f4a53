#include "storage/snapshot.h"

#include <set>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "support/catch.h"
#include "support/profile_gen.h"

namespace hearth::storage {
namespace {

Snapshot example() {
  Snapshot s;
  s.number = 7;
  s.nonce = {1, 2};
  s.previous_nonce = {3, 4};
  s.created_ns = -5;
  s.writer_version = "hearth test";
  s.segments = {
      {"m/a/2024-01-01/00.seg", {5, 6}, 1000, 1, -3'600'000'000'000, 3'600'000'000'000, 2, 9},
      {"m/b/2024-01-01/01.seg", {7, 8}, 5ULL << 32U, 2, 0, 86'400'000'000'000, 1, 1}};
  s.absorbed.add({"aaaa", 3});
  s.absorbed.add({"aaaa", 4});
  s.absorbed.add({"bbbb", 0});
  s.tombstones = {{"l0/aaaa/0000000003.seg", 7}, {"m/a/2023-12-31/02.seg", 5}};
  return s;
}

}  // namespace

TEST_CASE("a snapshot is read as it was written", "[compact]") {
  const Snapshot s = example();
  const auto back = decode_snapshot(encode_snapshot(s));
  REQUIRE(back);
  CHECK(*back == s);
  CHECK(back->find("m/b/2024-01-01/01.seg")->size == 5ULL << 32U);
  CHECK(back->find("m/b/2024-01-01/02.seg") == nullptr);
}

TEST_CASE("a snapshot with any bit flipped is an error", "[compact]") {
  const std::string bytes = encode_snapshot(example());
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string bad = bytes;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    CHECK_FALSE(decode_snapshot(bad));
  }
  for (size_t n = 0; n < bytes.size(); ++n) CHECK_FALSE(decode_snapshot(bytes.substr(0, n)));
}

TEST_CASE("a snapshot of another major version is left alone, a later minor one is read",
          "[compact]") {
  const auto with = [](size_t at, char value) {
    std::string bytes = encode_snapshot(example());
    bytes[at] = value;
    bytes.resize(bytes.size() - 4);
    put_le(bytes, crc32c(bytes));
    return bytes;
  };
  CHECK(decode_snapshot(with(8, 2)).error().code == ErrorCode::unimplemented);
  CHECK(decode_snapshot(with(10, 9)).value() == example());
}

TEST_CASE("keys of snapshots and fresh segments are told from others", "[compact]") {
  CHECK(snapshot_key(42) == "s/00000000000000000042.snap");
  CHECK(parse_snapshot_key("s/00000000000000000042.snap") == 42);
  CHECK(parse_snapshot_key("s/00000000000000000042.sna") == 0);
  CHECK(parse_snapshot_key("s/42.snap") == 0);
  CHECK(parse_snapshot_key("s/-0000000000000000042.snap") == 0);
  CHECK(parse_snapshot_key("s/") == 0);
  CHECK(parse_snapshot_key("") == 0);
  const auto fresh = parse_fresh_key("l0/00ff/0000000012.seg");
  REQUIRE(fresh);
  CHECK(fresh->writer == "00ff");
  CHECK(fresh->sequence == 12);
  for (const char* key : {"l0/00ff/12.seg", "l0/00ff/0000000012", "l0/0000000012.seg", "m/a/b.seg",
                          "l0//0000000012.seg", "l0/a/-000000012.seg", ""}) {
    INFO(key);
    CHECK_FALSE(parse_fresh_key(key));
  }
}

TEST_CASE("an absorbed set holds exactly what was added, in any order", "[compact]") {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    INFO("seed " << seed);
    test::Dice dice(seed);
    AbsorbedSet set;
    std::set<uint64_t> model;
    for (int i = 0; i < 60; ++i) {
      const uint64_t n = dice.below(80);
      set.add({"w", n});
      model.insert(n);
      for (uint64_t k = 0; k < 82; ++k)
        REQUIRE(set.contains(FreshKey{"w", k}) == model.contains(k));
    }
    std::string bytes;
    set.encode(bytes);
    ByteReader in(bytes);
    CHECK(AbsorbedSet::decode(in) == set);
    CHECK(in.done());
    CHECK_FALSE(set.contains(FreshKey{"other", 1}));
  }
}

}  // namespace hearth::storage
