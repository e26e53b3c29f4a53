#include "storage/rebuild_index.h"

#include <functional>
#include <numeric>

#include "storage/bucket_verify.h"
#include "storage/deletion_log.h"
#include "storage/open_segment.h"
#include "storage/snapshot.h"
#include "support/object_store_suite.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::QuietLog;
using test::StoreUnderTest;

Result<RebuiltIndex> rebuild(StoreUnderTest& t, bool force = false) {
  return rebuild_index(*t.options().bucket, *t.options().random, t.clock(), "test", force);
}

/// Day segments, later hours beside them, fresh segments, and objects that were replaced.
void live(StoreUnderTest& t) {
  for (int round = 0; round < 6; ++round) {
    for (int i = 0; i < 4; ++i)
      REQUIRE(t.append(i % 2 == 0 ? "acme" : "other", "svc" + std::to_string(i), "p"));
    REQUIRE(t.store().seal());
    if (round == 1) {
      // Without the tombstones of this one nothing says what was replaced.
      t.options().shared = true;
      REQUIRE(t.reopen());
      REQUIRE(t.store().compact(true, {}));
      t.options().shared = false;
      REQUIRE(t.reopen());
    }
    if (round == 3) REQUIRE(t.store().compact(false, {}));
  }
  t.check();
}

std::vector<std::string> snapshots(StoreUnderTest& t) {
  return test::keys_of(*t.options().bucket, std::string(kSnapshotPrefix));
}

TEST_CASE("a whole list of segments is left as it is", "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  live(t);
  const auto before = snapshots(t);
  const auto index = rebuild(t);
  REQUIRE(index);
  CHECK_FALSE(index->published);
  CHECK(snapshots(t) == before);
  REQUIRE(rebuild(t, true)->published);
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("without any snapshot the segments alone say what is live", "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  live(t);
  for (const std::string& key : snapshots(t)) REQUIRE(t.options().bucket->remove(key));
  const auto index = rebuild(t);
  REQUIRE(index);
  CHECK(index->published);
  CHECK(index->replaced >= 2);
  CHECK(index->overlapping == 0);
  CHECK(verify_bucket(*t.options().bucket).empty());
  REQUIRE(t.reopen());
  t.check();
  REQUIRE(t.append("acme", "svc0", "p"));
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  t.check();
}

TEST_CASE("what was written again without deleted profiles has replaced what has them",
          "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  live(t);
  t.options().shared = true;  // What is replaced stays for now.
  REQUIRE(t.reopen());
  REQUIRE(t.store().deletions()->add(
      *Deletion::make("acme", "{service_name=\"svc0\"}", INT64_MIN, INT64_MAX)));
  REQUIRE(t.store().compact(true, {}));
  const auto read = [&] { return test::read_all(t.store(), *Tenant::parse("acme")).size(); };
  const size_t left = read();
  for (const std::string& key : snapshots(t)) REQUIRE(t.options().bucket->remove(key));
  const auto index = rebuild(t);
  REQUIRE(index);
  CHECK(index->overlapping == 0);
  REQUIRE(t.reopen());
  CHECK(read() == left);
}

TEST_CASE("a damaged newest snapshot is replaced, and what older ones dropped stays dropped",
          "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  live(t);
  REQUIRE(t.options().bucket->put(snapshots(t).back(), "no snapshot"));
  const auto index = rebuild(t);
  REQUIRE(index);
  CHECK(index->published);
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a damaged segment is named and left out of the list", "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  live(t);
  REQUIRE(t.options().bucket->put("l0/ffffffffffffffff/0000000000.seg", "no segment"));
  const auto index = rebuild(t, true);
  REQUIRE(index);
  CHECK(index->damaged == std::vector<std::string>{"l0/ffffffffffffffff/0000000000.seg"});
}

/// Two profiles that are alike in all but the values of their rows.
std::pair<ProfileBatch, ProfileBatch> twins(StoreUnderTest& t) {
  ProfileBatch one = t.gen().next();
  while (one.samples.size() < 2 || one.value(1, 0) < 4) one = t.gen().next();
  ProfileBatch other = one;
  for (size_t type = 0; type < one.types(); ++type) {
    const int64_t moved = one.value(1, type) / 3;
    other.samples.values[type] += moved;
    other.samples.values[one.types() + type] -= moved;
  }
  return {std::move(one), std::move(other)};
}

Status append(StoreUnderTest& t, ProfileBatch batch) {
  return t.append_batch("acme", test::series_of("svc", "p"), std::move(batch),
                        random_uuid(*t.options().random));
}

TEST_CASE("a fresh profile that a day's merely resembles stays live", "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  auto [one, other] = twins(t);
  REQUIRE(append(t, std::move(one)));
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  REQUIRE(append(t, std::move(other)));
  REQUIRE(t.store().seal());
  for (const std::string& key : snapshots(t)) REQUIRE(t.options().bucket->remove(key));
  const auto index = rebuild(t);
  REQUIRE(index);
  CHECK(index->fresh == 1);
  REQUIRE(t.reopen());
  t.check();
}

/// Turns a byte of a dataset's profiles over.
void damage(ObjectStore& bucket, const std::string& key, const std::string& service) {
  auto object = bucket.open(key);
  REQUIRE(object);
  std::string bytes((*object)->read(0, (*object)->size())->view);
  const auto segment = OpenSegment::open(std::move(*object), key);
  REQUIRE(segment);
  for (const DatasetEntry& dataset : (*segment)->directory().datasets) {
    if (dataset.info.service != service) continue;
    bytes[dataset.find(SectionKind::profiles)->offset] ^= 1;
  }
  REQUIRE(bucket.put(key, bytes));
}

TEST_CASE("what is whole of a damaged segment still replaces what it was made from", "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  t.options().shared = true;  // What is replaced stays for now.
  REQUIRE(t.reopen());
  for (const char* service : {"one", "two"}) {
    REQUIRE(t.append("acme", service, "p"));
    REQUIRE(t.store().seal());
  }
  t.clock().advance(7'200'000'000'000);
  REQUIRE(t.store().compact(false, {})->segments_out == 1);
  t.close();
  for (const std::string& key : test::keys_of(*t.options().bucket, "m/"))
    damage(*t.options().bucket, key, "two");
  for (const std::string& key : snapshots(t)) REQUIRE(t.options().bucket->remove(key));
  REQUIRE(rebuild(t, true));
  t.disk() = {};
  REQUIRE(t.reopen());
  const auto profiles_of = [&](const char* service) {
    const auto view = t.store().view(*Tenant::parse("acme"), {.service = std::string(service)});
    REQUIRE(view);
    size_t profiles = 0;
    for (const auto& dataset : view->datasets) {
      const auto columns = dataset->profiles();
      if (columns) profiles += (*columns)->size();
    }
    return profiles;
  };
  CHECK(profiles_of("one") == 1);
  CHECK(profiles_of("two") == 1);
  t.close();
}

/// The database as it was before what `since` does to the store.
void lose_what_came_after(StoreUnderTest& t, const std::function<void()>& since) {
  const auto copy = t.disk().durable;
  since();
  t.close();
  t.disk().durable = copy;
  REQUIRE(t.reopen());
}

void append_some(StoreUnderTest& t, int profiles) {
  for (int i = 0; i < profiles; ++i)
    REQUIRE(t.append("acme", "svc" + std::to_string(i % 2), "p" + std::to_string(i % 3)));
}

TEST_CASE("an older copy of the database finds what was sealed since, and counts it once",
          "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  append_some(t, 1);
  REQUIRE(t.store().seal());
  append_some(t, 5);
  lose_what_came_after(t, [&] {
    REQUIRE(t.store().seal());
    append_some(t, 3);
    REQUIRE(t.store().seal());
  });
  CHECK(t.store().stats().head_profiles == 0);
  t.check();
  // The rows are gone from the copy, not only left out by one start.
  REQUIRE(t.reopen());
  CHECK(t.store().stats().head_profiles == 0);
  t.check();
  append_some(t, 2);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("an older copy of the database finds what was merged since, also into days",
          "[rebuild]") {
  const QuietLog quiet;
  const bool force = GENERATE(false, true);
  StoreUnderTest t;
  append_some(t, 6);
  lose_what_came_after(t, [&] {
    REQUIRE(t.store().seal());
    REQUIRE(t.store().compact(force, {}));
    append_some(t, 2);
    REQUIRE(t.store().seal());
  });
  CHECK(t.store().stats().head_profiles == 0);
  t.check();
  append_some(t, 2);
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a row that a day's profile merely resembles stays in the head", "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  auto [one, other] = twins(t);
  const auto empty = t.disk().durable;
  REQUIRE(append(t, std::move(one)));
  const auto head = t.disk().durable;
  t.close();
  t.disk().durable = empty;
  REQUIRE(t.reopen());
  REQUIRE(append(t, std::move(other)));
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  t.close();
  t.disk().durable = head;
  REQUIRE(t.reopen());
  CHECK(t.store().stats().head_profiles == 1);
  t.check();
}

TEST_CASE("an older copy of the database keeps what was sealed and is no longer there",
          "[rebuild]") {
  const QuietLog quiet;
  StoreUnderTest t;
  append_some(t, 4);
  lose_what_came_after(t, [&] {
    REQUIRE(t.store().seal());
    for (const std::string& key : test::keys_of(*t.options().bucket, "l0/"))
      REQUIRE(t.options().bucket->remove(key));
  });
  CHECK(t.store().stats().head_profiles == 4);
  t.check();
}

TEST_CASE("a crash while rows that were sealed are left out counts them once", "[rebuild]") {
  const QuietLog quiet;
  const bool survives = GENERATE(false, true);
  StoreUnderTest t;
  append_some(t, 5);
  const auto copy = t.disk().durable;
  REQUIRE(t.store().seal());
  t.close();
  t.disk().durable = copy;
  CHECK_FALSE(t.reopen(/*fail_kv_write=*/1, survives));
  REQUIRE(t.reopen());
  t.check();
}

}  // namespace
}  // namespace hearth::storage
