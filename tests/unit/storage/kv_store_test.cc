#include "storage/kv_store.h"

#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "support/catch.h"
#include "support/faulty_file_system.h"
#include "support/model_kv_store.h"
#include "support/temp_dir.h"

namespace hearth::storage {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs scan(const KvStore& store, KvFamily family, std::string_view begin = "",
           std::string_view end = "", size_t limit = 1000) {
  Pairs pairs;
  REQUIRE(store.scan(family, begin, end, [&](std::string_view key, std::string_view value) {
    pairs.emplace_back(key, value);
    return pairs.size() < limit;
  }));
  return pairs;
}

void put(KvStore& store, KvFamily family, std::string_view key, std::string_view value) {
  KvBatch batch;
  batch.put(family, key, value);
  REQUIRE(store.write(batch, true));
}

/// What both implementations must do.
void check_kv_store(KvStore& store) {
  using namespace std::string_literals;
  CHECK(store.get(KvFamily::head, "a")->has_value() == false);
  KvBatch batch;
  batch.put(KvFamily::head, "b", "1");
  batch.put(KvFamily::head, "a\0x"s, "\0binary\xff"s);
  batch.put(KvFamily::meta, "b", "other family");
  batch.put(KvFamily::head, "c", "");
  batch.remove(KvFamily::head, "c");
  KvBatch second;
  second.put(KvFamily::head, "d", "4");
  second.put(KvFamily::head, "b", "2");
  const KvBatch* both[] = {&batch, &second};
  REQUIRE(store.write(both, true));
  CHECK(scan(store, KvFamily::head) == Pairs{{"a\0x"s, "\0binary\xff"s}, {"b", "2"}, {"d", "4"}});
  CHECK(scan(store, KvFamily::head, "b", "d") == Pairs{{"b", "2"}});
  CHECK(scan(store, KvFamily::head, "a", "", 1).size() == 1);
  CHECK(store.get(KvFamily::meta, "b")->value() == "other family");
  CHECK(scan(store, KvFamily::catalog).empty());

  KvBatch range;
  range.remove_range(KvFamily::head, "a", "d");
  range.put(KvFamily::head, "c", "after the range");
  REQUIRE(store.write(range, true));
  CHECK(scan(store, KvFamily::head) == Pairs{{"c", "after the range"}, {"d", "4"}});
  CHECK(store.get(KvFamily::head, "b")->has_value() == false);
  REQUIRE(store.flush_all());
  CHECK(scan(store, KvFamily::head).size() == 2);
}

TEST_CASE("batches are atomic, ordered and kept apart by family", "[kv_store]") {
  SECTION("model") {
    test::ModelKvStore store(std::make_shared<test::ModelKvDisk>());
    check_kv_store(store);
  }
  SECTION("rocksdb") {
    const test::TempDir dir;
    auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    check_kv_store(**store);
    REQUIRE((*store)->close());
    store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    CHECK(scan(**store, KvFamily::head) == Pairs{{"c", "after the range"}, {"d", "4"}});
    CHECK((*store)->recovery_dropped_bytes() == 0);
    const std::string kept = dir / "db-corrupt";
    CHECK((!std::filesystem::exists(kept) || std::filesystem::is_empty(kept)));
  }
}

TEST_CASE("the end of a prefix is the next string that does not start with it", "[kv_store]") {
  CHECK(prefix_end("ab") == "ac");
  CHECK(prefix_end("a\xff\xff") == "b");
  CHECK(prefix_end("\xff").empty());
  CHECK(prefix_end("").empty());
}

TEST_CASE("the model loses writes without sync in a crash, and keeps them when closed",
          "[kv_store]") {
  for (const bool closed : {false, true}) {
    auto disk = std::make_shared<test::ModelKvDisk>();
    {
      test::ModelKvStore store(disk);
      put(store, KvFamily::head, "synced", "1");
      KvBatch batch;
      batch.put(KvFamily::head, "unsynced", "2");
      REQUIRE(store.write(batch, false));
      if (closed) REQUIRE(store.close());
    }
    const test::ModelKvStore store(disk);
    CHECK(scan(store, KvFamily::head).size() == (closed ? 2 : 1));
  }
}

TEST_CASE("a damaged log record costs its block, the rest is recovered, the files are kept",
          "[kv_store]") {
  log::set_sink([](log::Level, std::string_view) {});
  const test::TempDir dir;
  constexpr int kRecords = 200;
  {
    auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    for (int i = 0; i < kRecords; ++i) {
      put(**store, KvFamily::head, "k" + std::to_string(i), std::string(2000, 'v'));
    }
  }
  std::string log_path;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "db")) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) log_path = entry.path();
  }
  REQUIRE_FALSE(log_path.empty());
  {
    std::fstream file(log_path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(150'000);
    file.put('X');
  }
  auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
  log::set_sink({});
  REQUIRE(store);
  const size_t left = scan(**store, KvFamily::head).size();
  CHECK(left < kRecords);
  CHECK(left >= kRecords - 20);
  CHECK((*store)->get(KvFamily::head, "k199")->has_value());
  CHECK((*store)->recovery_dropped_bytes() > 0);
  CHECK_FALSE(std::filesystem::is_empty(dir / "db-corrupt"));
}

TEST_CASE("a database opened read-only is read and refuses writes", "[kv_store]") {
  const test::TempDir dir;
  put(**open_rocks_kv_store(posix_file_system(), dir / "db"), KvFamily::head, "a", "1");
  auto store = open_rocks_kv_store_read_only(dir / "db");
  REQUIRE(store);
  CHECK(scan(**store, KvFamily::head) == Pairs{{"a", "1"}});
  KvBatch batch;
  batch.put(KvFamily::head, "b", "2");
  CHECK((*store)->write(batch, true).error().code == ErrorCode::unavailable);
  CHECK_FALSE(open_rocks_kv_store_read_only(dir / "absent"));
}

}  // namespace
}  // namespace hearth::storage
