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
  REQUIRE(store.flush_all(0));
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
    CHECK_FALSE((*store)->log_damage().any());
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

constexpr int kRecords = 200;
constexpr size_t kRecordBytes = 2000;

std::string log_of(const test::TempDir& dir) {
  for (const auto& entry : std::filesystem::directory_iterator(dir / "db")) {
    if (entry.path().extension() == ".log" && entry.file_size() > 0) return entry.path();
  }
  return {};
}

/// A database that ended without being closed, with kRecords writes in its log, of which
/// [begin, end) were overwritten.
void damaged_database(const test::TempDir& dir, size_t begin, size_t end, char byte) {
  {
    auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    for (int i = 0; i < kRecords; ++i) {
      put(**store, KvFamily::head, "k" + std::to_string(i), std::string(kRecordBytes, 'v'));
    }
  }
  const std::string path = log_of(dir);
  REQUIRE_FALSE(path.empty());
  const size_t size = std::filesystem::file_size(path);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(begin));
  file << std::string(std::min(end, size) - begin, byte);
}

TEST_CASE("damage in a log costs its block, is told, the rest is recovered, the files are kept",
          "[kv_store]") {
  log::set_sink([](log::Level, std::string_view) {});
  const size_t middle = kRecords * kRecordBytes / 2;
  const auto [begin, end, byte] = GENERATE_COPY(table<size_t, size_t, char>({
      {middle, middle + 1, 'X'},            // One byte.
      {middle - 4096, middle, '\0'},        // A page, which RocksDB skips without a word.
      {middle - 65'536, middle + 1, '\0'},  // Several whole blocks.
      {middle - 65'536, middle + 1, 'X'},
  }));
  CAPTURE(begin, end, static_cast<int>(byte));
  const test::TempDir dir;
  damaged_database(dir, begin, end, byte);
  for (int start = 0; start < 2; ++start) {
    auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    const size_t left = scan(**store, KvFamily::head).size();
    CHECK(left < kRecords);
    CHECK(left >= kRecords - 20 - (end - begin) / kRecordBytes);
    CHECK((*store)->get(KvFamily::head, "k199")->has_value());
    CHECK((*store)->log_damage().changes == kRecords - left);
    CHECK_FALSE(std::filesystem::is_empty(dir / "db-corrupt"));
  }
  log::set_sink({});
}

TEST_CASE("damage at the end of a log is told where it differs from a write that was cut",
          "[kv_store]") {
  log::set_sink([](log::Level, std::string_view) {});
  const test::TempDir dir;
  SECTION("a byte of the last write") {
    damaged_database(dir, kRecords * kRecordBytes, kRecords * kRecordBytes + 1, 'X');
    const auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    CHECK((*store)->log_damage().any());
    CHECK((*store)->get(KvFamily::head, "k150")->has_value());
  }
  SECTION("cut") {
    damaged_database(dir, 0, 0, 'X');
    const std::string path = log_of(dir);
    std::filesystem::resize_file(path, std::filesystem::file_size(path) - 100);
    const auto store = open_rocks_kv_store(posix_file_system(), dir / "db");
    REQUIRE(store);
    CHECK_FALSE((*store)->log_damage().any());
    CHECK(scan(**store, KvFamily::head).size() == kRecords - 1);
  }
  log::set_sink({});
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
