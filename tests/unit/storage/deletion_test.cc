#include "storage/deletion_log.h"

#include <set>

#include "storage/bucket_store.h"
#include "storage/deletion_verify.h"
#include "support/memory_bucket.h"
#include "support/object_store_suite.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::MemoryBucket;
using test::QuietLog;
using test::StoreUnderTest;

constexpr int64_t kMinute = 60'000'000'000;

Deletion ask(StoreUnderTest& t, const std::string& selector, const std::string& tenant = "acme",
             int64_t begin_ns = INT64_MIN, int64_t last_ns = INT64_MAX) {
  auto deletion = Deletion::make(tenant, selector, begin_ns, last_ns);
  REQUIRE(deletion);
  const auto added = t.store().deletions()->add(std::move(*deletion));
  REQUIRE(added);
  return *added;
}

/// Pods of the profiles that a store shows, with their number.
std::map<std::string, int> pods(Store& store, const std::string& tenant = "acme") {
  std::map<std::string, int> out;
  const auto view = store.view(*Tenant::parse(tenant), {});
  REQUIRE(view);
  for (const auto& dataset : view->datasets) {
    const auto series = *dataset->series();
    const auto columns = *dataset->profiles();
    uint64_t seen = 0;
    for (size_t p = 0; p < columns->size(); ++p) {
      if (std::ranges::all_of(columns->totals, [&](const auto& t) { return t[p] == 0; })) continue;
      ++out[std::string((*series)[columns->series[p]].get("pod"))];
      ++seen;
    }
    CHECK(dataset->info().profiles == seen);
  }
  return out;
}

/// Two services of two tenants with pods a and b: `each` profiles of every combination.
void fill(StoreUnderTest& t, int each = 2) {
  for (const char* tenant : {"acme", "other"}) {
    for (const char* service : {"one", "two"}) {
      for (const char* pod : {"a", "b"}) {
        for (int i = 0; i < each; ++i) REQUIRE(t.append(tenant, service, pod));
      }
    }
  }
}

DeletionProof proof_of(StoreUnderTest& t) {
  const auto report = verify_deletions(*t.options().bucket);
  REQUIRE(report);
  CHECK(report->findings.empty());
  REQUIRE(report->proofs.size() == 1);
  return report->proofs.front();
}

using Pods = std::map<std::string, int>;

TEST_CASE("a deletion is what was asked for, by bytes that are checked", "[deletion]") {
  auto deletion = *Deletion::make("acme", "{pod=\"a\"}", 5, 7);
  deletion.id = {1, 2};
  deletion.asked_ns = 9;
  const std::string bytes = encode_deletion(deletion);
  const auto read = decode_deletion(bytes);
  REQUIRE(read);
  CHECK(read->id == deletion.id);
  CHECK(read->tenant == "acme");
  CHECK(read->selector_text == "{pod=\"a\"}");
  CHECK(read->begin_ns == 5);
  CHECK(read->last_ns == 7);
  CHECK(read->asked_ns == 9);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    CHECK_FALSE(decode_deletion(flipped));
    CHECK_FALSE(decode_deletion(bytes.substr(0, i)));
  }
}

TEST_CASE("a deletion that cannot be meant is refused", "[deletion]") {
  CHECK_FALSE(Deletion::make("acme", "{pod=", 0, 1));
  CHECK_FALSE(Deletion::make("acme", "", 0, 1));
  CHECK_FALSE(Deletion::make("acme", "{__type__=\"cpu\"}", 0, 1));
  CHECK_FALSE(Deletion::make("acme", "{}", 2, 1));
}

TEST_CASE("what is deleted is not seen any more, wherever it is, and the rest is", "[deletion]") {
  const QuietLog quiet;
  const int sealed = GENERATE(0, 1, 2, 3);  // In the head, fresh, in an hour, in a day.
  StoreUnderTest t;
  fill(t);
  if (sealed > 0) REQUIRE(t.store().seal());
  if (sealed > 1) REQUIRE(t.store().compact(sealed == 3, {}));
  ask(t, "{pod=\"a\", service_name=\"one\"}");
  CHECK(pods(t.store()) == Pods{{"a", 2}, {"b", 4}});
  CHECK(pods(t.store(), "other") == Pods{{"a", 4}, {"b", 4}});
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == Pods{{"a", 2}, {"b", 4}});
  // What comes later is deleted, too, until the deletion is withdrawn.
  REQUIRE(t.append("acme", "one", "a"));
  CHECK(pods(t.store()) == Pods{{"a", 2}, {"b", 4}});
}

TEST_CASE("a range of time and a whole tenant can be deleted", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t, 3);
  REQUIRE(t.store().seal());
  std::vector<int64_t> starts;
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  for (const auto& dataset : view->datasets) {
    const auto columns = *dataset->profiles();
    starts.insert(starts.end(), columns->start_ns.begin(), columns->start_ns.end());
  }
  std::ranges::sort(starts);
  ask(t, "{}", "acme", starts[2], starts[7]);
  int left = 0;
  for (const auto& [pod, profiles] : pods(t.store())) left += profiles;
  CHECK(left == static_cast<int>(std::ranges::count_if(
                    starts, [&](int64_t s) { return s < starts[2] || s > starts[7]; })));
  ask(t, "{}", "other");
  CHECK(pods(t.store(), "other").empty());
  CHECK(t.store().view(*Tenant::parse("other"), {})->datasets.empty());
}

TEST_CASE("merges remove what is deleted, and only objects without it are left", "[deletion]") {
  const QuietLog quiet;
  const bool before = GENERATE(true, false);  // Asked before anything was merged, or after.
  StoreUnderTest t;
  fill(t);
  REQUIRE(t.store().seal());
  if (!before) REQUIRE(t.store().compact(true, {}));
  ask(t, "{pod=\"a\"}");
  CHECK(proof_of(t).live.profiles == 4);
  const auto done = t.store().compact(true, {});
  REQUIRE(done);
  CHECK(done->deleted == 4);
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  CHECK(proof_of(t).gone());
  // Nothing is left to do.
  CHECK(t.store().compact(true, {})->jobs == 0);
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  CHECK(pods(t.store(), "other") == Pods{{"a", 4}, {"b", 4}});
}

TEST_CASE("objects with what is deleted go when others cannot read them any more", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  t.options().shared = true;
  REQUIRE(t.reopen());
  ask(t, "{pod=\"a\"}");
  REQUIRE(t.store().compact(true, {}));
  CHECK(proof_of(t).live.profiles == 0);
  CHECK(proof_of(t).waiting.profiles == 4);
  t.options().shared = false;
  REQUIRE(t.reopen());
  REQUIRE(t.store().compact(true, {}));
  CHECK(proof_of(t).gone());
}

TEST_CASE("without being told, days are written again without what is deleted", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  ask(t, "{pod=\"a\"}");
  t.clock().advance(6 * kMinute);
  REQUIRE(t.store().compact_step({}));
  CHECK(proof_of(t).live.profiles == 0);
  CHECK(proof_of(t).waiting.profiles == 4);
  t.clock().advance(70 * kMinute);
  REQUIRE(t.store().compact_step({}));
  CHECK(proof_of(t).gone());
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  t.close();
}

TEST_CASE("a withdrawn deletion shows what is still there", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t);
  REQUIRE(t.store().seal());
  const Deletion deletion = ask(t, "{pod=\"a\"}");
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  CHECK(t.store().deletions()->withdraw("x").error().code == ErrorCode::not_found);
  REQUIRE(t.store().deletions()->withdraw(deletion.id.uuid()));
  t.check();
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a deletion whose answer was lost in a crash holds after the restart", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t);
  const auto copy = t.disk().durable;
  ask(t, "{pod=\"a\"}");
  t.close();
  t.disk().durable = copy;  // The object was created, the copy was not.
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == Pods{{"b", 4}});
}

TEST_CASE("a deletion that the bucket refuses is not believed; one whose answer was lost holds",
          "[deletion]") {
  const QuietLog quiet;
  const auto fault = GENERATE(MemoryBucket::Fault::refused, MemoryBucket::Fault::lost_answer);
  const bool stored = fault == MemoryBucket::Fault::lost_answer;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  bucket->watch([fault](std::string_view call, const std::string& key, bool done) {
    const bool hit = call == "put" && key.starts_with("d/") && !done;
    return hit ? fault : MemoryBucket::Fault::none;
  });
  CHECK_FALSE(t.store().deletions()->add(*Deletion::make("acme", "{pod=\"a\"}", 0, INT64_MAX)));
  bucket->watch({});
  CHECK(bucket->keys("d/").size() == (stored ? 1 : 0));
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == (stored ? Pods{{"b", 4}} : Pods{{"a", 4}, {"b", 4}}));
  t.close();
}

TEST_CASE("a start while the bucket is away still knows what is deleted", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  ask(t, "{pod=\"a\"}");
  bucket->watch([](std::string_view call, const std::string&, bool) {
    return call == "put" ? MemoryBucket::Fault::none : MemoryBucket::Fault::refused;
  });
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  bucket->watch({});
  t.close();
}

TEST_CASE("a listing that lags does not end a deletion", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  bucket->delay_listing(10 * kMinute);
  t.options().shared = true;  // It looks at the bucket all the time.
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  const Deletion deletion = ask(t, "{pod=\"a\"}");
  t.clock().advance(kMinute);
  REQUIRE(t.store().compact_step({}));
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  // One that is withdrawn elsewhere ends.
  REQUIRE(bucket->remove(deletion_key(deletion.id)));
  t.clock().advance(kMinute);
  REQUIRE(t.store().compact_step({}));
  CHECK(pods(t.store()) == Pods{{"a", 4}, {"b", 4}});
  t.close();
}

TEST_CASE("no answer that is kept for a whole dataset is given for what is left of it",
          "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t);
  REQUIRE(t.store().seal());
  const auto ids = [&] {
    std::set<Id128> out;
    const auto view = t.store().view(*Tenant::parse("acme"), {});
    for (const auto& dataset : view->datasets) out.insert(dataset->symbols_id());
    return out;
  };
  const std::set<Id128> before = ids();
  const Deletion first = ask(t, "{pod=\"a\"}");
  const std::set<Id128> without_a = ids();
  REQUIRE(t.store().deletions()->withdraw(first.id.uuid()));
  CHECK(ids() == before);
  ask(t, "{pod=\"b\"}");
  const std::set<Id128> without_b = ids();
  std::set<Id128> all = before;
  all.insert(without_a.begin(), without_a.end());
  all.insert(without_b.begin(), without_b.end());
  CHECK(all.size() == before.size() + without_a.size() + without_b.size());
}

TEST_CASE("a view pays for what it keeps beside deleted profiles", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t);
  REQUIRE(t.store().seal());
  ask(t, R"({pod="a"})");
  const size_t before = t.memory().used();
  {
    const auto view = t.store().view(*Tenant::parse("acme"), {});
    REQUIRE(view);
    CHECK(t.memory().used() > before);
  }
  CHECK(t.memory().used() == before);
  const auto all = t.memory().must_charge(t.memory().limit() - before);
  const auto refused = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
}

TEST_CASE("every process on a bucket leaves out what one was asked to delete", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.options().shared = true;
  t.options().merges = false;
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  REQUIRE(t.store().seal());
  const auto open = [&](bool merges) {
    Store::Options options = t.options();
    options.merges = merges;
    return *BucketStore::open(std::move(options));
  };
  const auto reader = open(false);
  CHECK(pods(*reader) == Pods{{"a", 4}, {"b", 4}});
  ask(t, "{pod=\"a\"}");
  t.clock().advance(kMinute);
  REQUIRE(reader->compact_step({}));
  CHECK(pods(*reader) == Pods{{"b", 4}});
  CHECK(pods(*open(false)) == Pods{{"b", 4}});
  const auto compactor = open(true);
  REQUIRE(compactor->compact(true, {}));
  CHECK(pods(*compactor) == Pods{{"b", 4}});
  CHECK(proof_of(t).live.profiles == 0);
  // A reader can ask, too.
  REQUIRE(reader->deletions()->add(*Deletion::make("acme", "{}", INT64_MIN, INT64_MAX)));
  CHECK(pods(*reader).empty());
  t.clock().advance(kMinute);
  REQUIRE(t.store().compact_step({}));
  CHECK(pods(t.store()).empty());
  t.close();
}

TEST_CASE("a segment that is lost does not keep others from being written again and collected",
          "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  t.close();
  const auto lost = bucket->keys("m/acme/");
  REQUIRE_FALSE(lost.empty());
  for (const std::string& key : lost) REQUIRE(bucket->remove(key));
  const auto replaced = bucket->keys("m/other/");
  REQUIRE(t.reopen());
  ask(t, "{pod=\"a\"}", "acme");
  ask(t, "{pod=\"a\"}", "other");
  t.clock().advance(6 * kMinute);
  REQUIRE(t.store().compact_step({}));
  CHECK(pods(t.store(), "other") == Pods{{"b", 4}});
  CHECK(t.store().stats().compaction.deleted_profiles_total == 4);
  CHECK(t.store().stats().compaction.damaged_inputs == lost.size());
  t.clock().advance(70 * kMinute);
  REQUIRE(t.store().compact_step({}));
  for (const std::string& key : replaced) CHECK_FALSE(bucket->has(key));
  t.close();
}

TEST_CASE("what was replaced is collected also while merges fail", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.options().shared = true;
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  REQUIRE(t.store().seal());
  REQUIRE(t.store().compact(true, {}));
  const auto waiting = bucket->keys("l0/");
  fill(t);
  REQUIRE(t.store().seal());
  bucket->watch([](std::string_view call, const std::string& key, bool) {
    const bool merge = call == "put" && key.starts_with("m/");
    return merge ? MemoryBucket::Fault::refused : MemoryBucket::Fault::none;
  });
  t.clock().advance(120 * kMinute);
  CHECK_FALSE(t.store().compact_step({}));
  for (const std::string& key : waiting) CHECK_FALSE(bucket->has(key));
  CHECK_FALSE(bucket->keys("l0/").empty());
  bucket->watch({});
  t.close();
}

TEST_CASE("a deletion that is withdrawn while a merge applies it deletes nothing", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.options().shared = true;
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  REQUIRE(t.store().seal());
  const Deletion deletion = ask(t, "{pod=\"a\"}");
  const auto other = *BucketStore::open(t.options());
  bool withdrawn = false;
  bucket->watch([&](std::string_view call, const std::string& key, bool) {
    if (!withdrawn && call == "put" && key.starts_with("m/")) {
      withdrawn = true;
      CHECK(other->deletions()->withdraw(deletion.id.uuid()));
    }
    return MemoryBucket::Fault::none;
  });
  CHECK(t.store().compact(true, {}).error().code == ErrorCode::conflict);
  CHECK(withdrawn);
  t.check();
  REQUIRE(t.store().compact(true, {}));
  t.check();
  t.close();
}

TEST_CASE("a process that may not write deletes nothing, and leaves out what others delete",
          "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  const auto bucket = std::make_shared<MemoryBucket>(t.clock());
  t.set_bucket([&] { return bucket; });
  REQUIRE(t.reopen());
  fill(t);
  REQUIRE(t.store().seal());
  t.set_query_only("its disk is read-only");
  REQUIRE(t.reopen());
  const auto refused =
      t.store().deletions()->add(*Deletion::make("acme", "{}", INT64_MIN, INT64_MAX));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unavailable);
  CHECK(refused.error().message.find("--role all") != std::string::npos);
  CHECK(bucket->keys("d/").empty());
  CHECK(pods(t.store()) == Pods{{"a", 4}, {"b", 4}});

  const auto other = *BucketStore::open(t.options());
  const auto added =
      other->deletions()->add(*Deletion::make("acme", "{pod=\"a\"}", INT64_MIN, INT64_MAX));
  REQUIRE(added);
  const auto look = [&] {
    t.clock().advance(kMinute);
    REQUIRE(t.store().compact_step({}));
  };
  look();
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  // What another process merges is found, too.
  REQUIRE(other->compact(true, {}));
  look();
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  CHECK(t.store().stats().compaction.levels[0].segments == 0);
  CHECK(t.store().deletions()->withdraw(added->id.uuid()).error().code == ErrorCode::unavailable);
  CHECK(t.kv().writes() == 0);
  CHECK_FALSE(t.stopped());
  t.close();
}

TEST_CASE("a damaged deletion is told and costs nothing else", "[deletion]") {
  const QuietLog quiet;
  StoreUnderTest t;
  fill(t);
  ask(t, "{pod=\"a\"}");
  REQUIRE(t.options().bucket->put("d/no-deletion.del", "no deletion"));
  REQUIRE(t.reopen());
  CHECK(pods(t.store()) == Pods{{"b", 4}});
  CHECK(t.store().stats().corrupt_objects_total == 1);
  CHECK(verify_deletions(*t.options().bucket)->findings.size() == 1);
}

}  // namespace
}  // namespace hearth::storage
