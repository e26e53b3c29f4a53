#include "storage/cluster_identity.h"

#include "objstore/local_store.h"
#include "storage/keys.h"
#include "support/catch.h"
#include "support/model_kv_store.h"
#include "support/quiet_log.h"
#include "support/temp_dir.h"

namespace hearth::storage {
namespace {

using test::TempDir;

struct Fixture {
  TempDir dir;
  std::shared_ptr<ObjectStore> bucket = make("one");
  std::unique_ptr<KvStore> kv =
      std::make_unique<test::ModelKvStore>(std::make_shared<test::ModelKvDisk>());

  std::shared_ptr<ObjectStore> make(const char* name) {
    return *objstore::open_local_store(posix_file_system(), dir / name);
  }
  Result<std::string> join(ObjectStore& of, bool has_segments = false) {
    auto id = join_cluster(*kv, of, system_random(), has_segments);
    if (id && !id->empty()) {
      KvBatch batch;
      batch.put(KvFamily::meta, kClusterKey, *id);
      REQUIRE(kv->write(batch, true));
    }
    return id;
  }
};

TEST_CASE("the first to come names the cluster, the next ones join it", "[storage]") {
  Fixture first;
  const auto id = first.join(*first.bucket);
  REQUIRE(id);
  CHECK(id->size() == 36);
  CHECK(first.join(*first.bucket)->empty());  // Remembered already.
  Fixture second;
  CHECK(second.join(*first.bucket) == *id);
  CHECK(recognise_cluster(*second.kv, *first.bucket, true));
}

TEST_CASE("a bucket of another cluster is refused", "[storage]") {
  Fixture one;
  Fixture two;
  REQUIRE(one.join(*one.bucket));
  REQUIRE(two.join(*two.bucket));
  CHECK(recognise_cluster(*one.kv, *two.bucket, false).error().code == ErrorCode::conflict);
  CHECK(one.join(*two.bucket).error().code == ErrorCode::conflict);
}

TEST_CASE("a bucket that names no cluster is refused once it should have segments", "[storage]") {
  Fixture f;
  const auto id = f.join(*f.bucket);
  const auto empty = f.make("empty");
  CHECK(recognise_cluster(*f.kv, *empty, true).error().code == ErrorCode::conflict);
  CHECK(f.join(*empty, true).error().code == ErrorCode::conflict);
  CHECK(*empty->open("cluster.json") == nullptr);
  // Nothing is in it yet: it gets the same name.
  CHECK(recognise_cluster(*f.kv, *empty, false));
  REQUIRE(f.join(*empty, false));
  CHECK(recognise_cluster(*f.kv, *empty, true));
}

TEST_CASE("a cluster.json that cannot be read is refused", "[storage]") {
  for (const char* text : {"", "{}", "{\"cluster\":\"short\"}", "{\"cluster\":\"0123456789"}) {
    Fixture f;
    REQUIRE(f.bucket->put("cluster.json", text));
    CHECK(f.join(*f.bucket).error().code == ErrorCode::conflict);
  }
}

TEST_CASE("a bucket that does not answer at a start is asked before the first seal", "[storage]") {
  const test::QuietLog quiet;
  struct Away final : ObjectStore {
    Result<PutOutcome> put_if_absent(const std::string&, std::string_view) override { return no(); }
    Status put(const std::string&, std::string_view) override { return no(); }
    Result<std::unique_ptr<ObjectReader>> open(const std::string&) override { return no(); }
    Result<std::vector<Entry>> list(const std::string&, const std::string&, size_t) override {
      return no();
    }
    Status remove(const std::string&) override { return no(); }
    static tl::unexpected<Error> no() { return fail(ErrorCode::unavailable, "away"); }
  };
  Fixture f;
  REQUIRE(f.join(*f.bucket));
  Away away;
  CHECK(recognise_cluster(*f.kv, away, true));
  CHECK(f.join(away).error().code == ErrorCode::unavailable);
}

}  // namespace
}  // namespace hearth::storage
