// Starts: with a part lost or damaged, beside another store, on a folder that cannot be written.
#include "storage/store.h"

#include "storage/keys.h"
#include "support/quiet_log.h"
#include "support/store_model.h"

namespace hearth::storage {
namespace {

using test::QuietLog;
using test::StoreUnderTest;

TEST_CASE("a catalog that is lost is rebuilt from the bucket", "[store]") {
  StoreUnderTest t;
  for (int i = 0; i < 3; ++i) {
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.store().seal());
  }
  t.close();
  t.disk() = {};
  REQUIRE(t.reopen());
  t.check();
  CHECK(t.store().stats().segments == 3);
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a damaged or missing segment costs itself and is told", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.store().seal());
  const auto keys = t.options().bucket->list("l0/", "", 10);
  REQUIRE(keys->size() == 2);
  REQUIRE(t.options().bucket->put(keys->front().key, "not a segment"));
  REQUIRE(t.reopen());
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  CHECK(view->datasets.size() == 1);
  CHECK(view->partial.size() == 1);
  CHECK(t.store().stats().corrupt_objects_total == 1);
}

TEST_CASE("rows whose symbols were lost are left out and told, the others stay", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  REQUIRE(t.append("acme", "other", "p"));
  std::string delta;
  REQUIRE(t.kv().scan(KvFamily::head, "D", "E", [&](std::string_view key, std::string_view) {
    delta = key;
    return false;
  }));
  t.close();
  t.disk().durable[static_cast<size_t>(KvFamily::head)].erase(delta);
  REQUIRE(t.reopen());
  const auto view = t.store().view(*Tenant::parse("acme"), {});
  REQUIRE(view);
  CHECK(view->partial.size() == 1);
  std::map<Id128, test::PlainProfile> seen;
  for (const auto& dataset : view->datasets) test::read_dataset("acme", *dataset, seen);
  CHECK(seen.size() == 1);
  CHECK(t.store().view(*Tenant::parse("another"), {})->partial.empty());
  CHECK(t.store().stats().quarantined_rows_total == 1);
  CHECK(t.store().seal().value() == 1);
}

TEST_CASE("a lost count of starts gives no generation or epoch a second time", "[store]") {
  const QuietLog quiet;
  StoreUnderTest t;
  auto& meta = t.disk().durable[static_cast<size_t>(KvFamily::meta)];
  const auto crash_without_count = [&] {
    t.close();
    REQUIRE(meta.erase(std::string(kStartCountKey)) == 1);
    REQUIRE(t.reopen());
  };
  REQUIRE(t.append("acme", "svc", "p"));
  crash_without_count();
  REQUIRE(t.append("acme", "svc", "p"));
  t.check();
  crash_without_count();
  t.check();
  REQUIRE(t.store().seal());
  t.check();
}

TEST_CASE("an intent or a delta alone tells of the start that wrote it", "[store]") {
  const QuietLog quiet;
  for (const bool intent : {false, true}) {
    StoreUnderTest t;
    KvBatch batch;
    const uint64_t number = uint64_t{41} << 32U;
    batch.put(KvFamily::head, intent ? intent_key(number) : DeltaKey{number, 0}.encode(), "?");
    REQUIRE(t.kv().write(batch, true));
    REQUIRE(t.reopen());
    REQUIRE(t.append("acme", "svc", "p"));
    REQUIRE(t.kv().scan(KvFamily::head, kRowPrefix, "", [&](std::string_view key, auto) {
      CHECK(RowKey::decode(key)->generation >= uint64_t{42} << 32U);
      CHECK(RowKey::decode(key)->epoch >= uint64_t{42} << 32U);
      return true;
    }));
  }
}

TEST_CASE("a number whose name was lost is never given to another name", "[store]") {
  const QuietLog quiet;
  for (const NameKind kind : {NameKind::tenant, NameKind::service}) {
    StoreUnderTest t;
    REQUIRE(t.append("lost", "lost", "p"));
    t.close();
    auto& meta = t.disk().durable[static_cast<size_t>(KvFamily::meta)];
    REQUIRE(meta.erase(name_key(kind, "lost")) == 1);
    REQUIRE(t.reopen());
    REQUIRE(t.append("other", "other", "p"));
    REQUIRE(t.reopen());
    const auto view = t.store().view(*Tenant::parse("other"), {});
    REQUIRE(view);
    CHECK(view->datasets.size() == 1);
    CHECK(t.store().stats().quarantined_rows_total == 1);
  }
}

TEST_CASE("what a damaged log lost is told in every answer, until the next start", "[store]") {
  StoreUnderTest t;
  REQUIRE(t.append("acme", "svc", "p"));
  t.disk().damage = {.bytes = 4096, .changes = 3};
  size_t errors = 0;
  log::set_sink([&](log::Level level, std::string_view) { errors += level == log::Level::error; });
  REQUIRE(t.reopen());
  log::set_sink({});
  CHECK(errors == 1);
  for (const char* tenant : {"acme", "another"}) {
    const auto view = t.store().view(*Tenant::parse(tenant), {});
    REQUIRE(view->partial.size() == 1);
    CHECK(view->partial[0].find("3 changes lost, 4096 bytes") != std::string::npos);
  }
  CHECK(t.store().stats().log_lost_changes == 3);
  CHECK(t.store().stats().log_dropped_bytes == 4096);
  t.disk().damage = {};
  REQUIRE(t.reopen());
  t.check();
}

TEST_CASE("a second store on a directory is refused with the owner's name", "[store]") {
  const test::TempDir dir;
  MemoryAccountant memory(size_t{1} << 30U);
  Store::Options options;
  options.data_dir = dir.path();
  options.files = &posix_file_system();
  options.clock = &system_clock();
  options.random = &system_random();
  options.memory = &memory;
  options.bucket = *objstore::open_local_store(*options.files, dir / "bucket");
  auto first = Store::open(options);
  REQUIRE(first);
  const auto second = Store::open(options);
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  CHECK(second.error().message.find("process " + std::to_string(getpid())) != std::string::npos);
  first->reset();
  CHECK(Store::open(options));
}

TEST_CASE("a read-only directory opens for queries", "[store]") {
  const QuietLog quiet;
  const test::TempDir dir;
  test::FaultyFileSystem files;
  MemoryAccountant memory(size_t{1} << 30U);
  Store::Options options;
  options.data_dir = dir.path();
  options.files = &files;
  options.clock = &system_clock();
  options.random = &system_random();
  options.memory = &memory;
  options.bucket = *objstore::open_local_store(files, dir / "bucket");
  REQUIRE(Store::open(options));
  files.set_read_only(true);
  auto store = Store::open(options);
  REQUIRE(store);
  CHECK((*store)->not_ready_reason().value().find("Read-only") != std::string::npos);
}

}  // namespace
}  // namespace hearth::storage
