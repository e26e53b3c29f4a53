// Several processes on one bucket: writers, readers and compactors that know nothing of each other.
#include <set>

#include "storage/bucket_store.h"
#include "support/memory_bucket.h"
#include "support/moody_bucket.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::MemoryBucket;
using test::QuietLog;
using test::StoreUnderTest;

constexpr int64_t kMinute = 60'000'000'000;
constexpr int64_t kPoll = 5'000'000'000;

/// One bucket, a writer and a second one on it.
struct Cluster {
  StoreUnderTest one{1};
  std::shared_ptr<MemoryBucket> bucket = std::make_shared<MemoryBucket>(one.clock());
  StoreUnderTest two{2};

  Cluster() {
    for (StoreUnderTest* t : {&one, &two}) {
      t->options().shared = true;
      t->options().merges = false;
      t->options().clock = &one.clock();
      t->set_bucket([this] { return bucket; });
      REQUIRE(t->reopen());
    }
  }
  ~Cluster() {
    one.close();
    two.close();
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  std::unique_ptr<Store> open(bool merges) {
    Store::Options options = one.options();
    options.merges = merges;
    auto store = BucketStore::open(std::move(options));
    REQUIRE(store);
    return std::move(*store);
  }
  void write(StoreUnderTest& t, int profiles) {
    for (int i = 0; i < profiles; ++i)
      REQUIRE(t.append(i % 2 == 0 ? "acme" : "other", "svc" + std::to_string(i % 3), "p"));
    REQUIRE(t.store().seal());
  }
  void look(Store& store) {
    one.clock().advance(kPoll);
    REQUIRE(store.compact_step({}));
  }
  /// All profiles of both tenants, each exactly once.
  size_t seen(Store& store) {
    size_t n = 0;
    for (const char* tenant : {"acme", "other"})
      n += test::read_all(store, *Tenant::parse(tenant)).size();
    return n;
  }
};

TEST_CASE("a reader starts from the bucket alone and sees what is sealed with its next look",
          "[roles]") {
  const QuietLog quiet;
  Cluster c;
  c.write(c.one, 4);
  const auto reader = c.open(false);
  CHECK(c.seen(*reader) == 4);
  c.write(c.two, 3);
  REQUIRE(c.one.append("acme", "svc0", "p"));
  CHECK(c.seen(*reader) == 4);
  REQUIRE(reader->compact_step({}));
  CHECK(c.seen(*reader) == 4);
  c.look(*reader);
  CHECK(c.seen(*reader) == 7);
  // A writer also sees what the other one sealed, beside its own head.
  c.look(c.one.store());
  CHECK(c.seen(c.one.store()) == 8);
  REQUIRE(c.one.reopen());
  CHECK(c.seen(c.one.store()) == 8);
}

TEST_CASE("one process merges what all wrote; every other one sees each profile once all the time",
          "[roles]") {
  const QuietLog quiet;
  Cluster c;
  for (int round = 0; round < 3; ++round) {
    c.write(c.one, 5);
    c.write(c.two, 4);
  }
  const auto late = c.open(false);
  const auto reader = c.open(false);
  const auto compactor = c.open(true);
  const auto fresh = c.bucket->keys("l0/");
  const auto done = compactor->compact(true, {});
  REQUIRE(done);
  CHECK(done->segments_in >= 6);
  CHECK(c.seen(*compactor) == 27);
  // Others may still read what was replaced.
  CHECK(c.bucket->keys("l0/") == fresh);
  c.look(*reader);
  CHECK(c.seen(*reader) == 27);
  CHECK(reader->stats().compaction.levels[0].segments == 0);
  c.look(c.one.store());
  CHECK(c.seen(c.one.store()) == 27);
  CHECK(c.one.store().stats().compaction.levels[0].segments == 0);
  c.one.clock().advance(61 * kMinute);
  REQUIRE(compactor->compact_step({}));
  CHECK(c.bucket->keys("l0/").empty());
  // This one did not look meanwhile: it finds an object gone, looks and answers.
  CHECK(c.seen(*late) == 27);
  REQUIRE(c.one.reopen());
  CHECK(c.seen(c.one.store()) == 27);
}

TEST_CASE("a process that only compacts keeps side data in day segments when it is told to",
          "[roles]") {
  const QuietLog quiet;
  Cluster c;
  c.write(c.one, 24);
  const bool keep = GENERATE(true, false);
  c.one.options().side_data_in_days = keep;
  const auto compactor = c.open(true);
  REQUIRE(compactor->compact(true, {}));
  bool side = false;
  for (const char* tenant : {"acme", "other"}) {
    const auto view = compactor->view(*Tenant::parse(tenant), {});
    REQUIRE(view);
    for (const auto& dataset : view->datasets) side = side || dataset->has_side();
  }
  CHECK(side == keep);
}

TEST_CASE("two compactors on one bucket lose and double nothing", "[roles]") {
  const QuietLog quiet;
  Cluster c;
  const auto a = c.open(true);
  const auto b = c.open(true);
  for (int round = 0; round < 6; ++round) {
    c.write(round % 2 == 0 ? c.one : c.two, 4);
    // The second one begins when the first has written its merged segments and not committed.
    bool inside = false;
    c.bucket->watch([&](std::string_view call, const std::string& key, bool after) {
      if (call == "put" && key.starts_with("s/") && !after && !inside) {
        inside = true;
        (void)b->compact(true, {});
      }
      return MemoryBucket::Fault::none;
    });
    (void)a->compact(true, {});
    c.bucket->watch({});
    CHECK(inside);
    const size_t want = 4 * (static_cast<size_t>(round) + 1);
    for (Store* store : {a.get(), b.get()}) {
      c.look(*store);
      CHECK(c.seen(*store) == want);
    }
    CHECK(c.seen(*c.open(false)) == want);
  }
}

TEST_CASE("a process without a folder takes nothing and says so", "[roles]") {
  const QuietLog quiet;
  Cluster c;
  const auto reader = c.open(false);
  const ProfileBatch batch = c.one.gen().next();
  const LabelSet series = test::series_of("svc", "p");
  const std::vector<uint32_t> samples{0};
  const AppendProfile profile{&series, &batch, samples, {}};
  const Tenant tenant = *Tenant::parse("acme");
  CHECK(reader->append(tenant, std::span(&profile, 1)).error().code == ErrorCode::unimplemented);
  CHECK(reader->meta_put("k", tenant, "n", "v").error().code == ErrorCode::unimplemented);
  CHECK_FALSE(reader->meta_get("k", tenant, "n").value());
  CHECK(reader->compact(true, {}).error().code == ErrorCode::unimplemented);
  CHECK(c.one.store().compact(true, {}).error().code == ErrorCode::unimplemented);
  CHECK(reader->seal().value() == 0);
  CHECK_FALSE(reader->not_ready_reason());
}

TEST_CASE("a reader waits for a bucket that is away, and says how old its list is", "[roles]") {
  const QuietLog quiet;
  Cluster c;
  c.write(c.one, 4);
  std::atomic<bool> away = true;
  Store::Options options = c.one.options();
  options.bucket = std::make_shared<test::MoodyBucket>(c.bucket, away);
  const auto opened = BucketStore::open(std::move(options));
  REQUIRE(opened);
  Store& reader = **opened;
  CHECK(reader.not_ready_reason());
  CHECK(reader.view(*Tenant::parse("acme"), {}).error().code == ErrorCode::unavailable);
  away = false;
  c.look(reader);
  CHECK_FALSE(reader.not_ready_reason());
  CHECK(c.seen(reader) == 4);
  away = true;
  c.one.clock().advance(6 * kMinute);
  REQUIRE(reader.compact_step({}));
  CHECK(reader.view(*Tenant::parse("acme"), {})->partial.size() == 1);
}

TEST_CASE("a damaged fresh segment costs a reader that segment, and says so", "[roles]") {
  const QuietLog quiet;
  Cluster c;
  c.write(c.one, 4);
  REQUIRE(c.bucket->put("l0/ffffffffffffffff/0000000000.seg", "no segment"));
  const auto reader = c.open(false);
  const auto seen = [&] {
    const auto view = reader->view(*Tenant::parse("acme"), {});
    REQUIRE(view);
    CHECK(view->partial.size() == 1);
    return view->datasets.size();
  };
  CHECK(seen() == 2);
  c.write(c.two, 4);
  c.look(*reader);
  CHECK(seen() == 4);
  CHECK(reader->stats().corrupt_objects_total == 1);
}

}  // namespace
}  // namespace hearth::storage
