#include "objstore/local_store.h"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include "support/catch.h"
#include "support/faulty_file_system.h"
#include "support/object_store_suite.h"
#include "support/quiet_log.h"
#include "support/temp_dir.h"

namespace hearth::objstore {
namespace {

using test::FaultyFileSystem;
using test::QuietLog;
using test::TempDir;
using Outcome = ObjectStore::PutOutcome;

std::shared_ptr<ObjectStore> open_in(FileSystem& files, const TempDir& dir) {
  auto store = open_local_store(files, dir / "bucket");
  REQUIRE(store);
  return *store;
}

size_t files_below(const std::string& path) {
  size_t n = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    n += entry.is_regular_file() ? 1U : 0U;
  }
  return n;
}

TEST_CASE("a local directory does what every bucket must do", "[objstore]") {
  const TempDir dir;
  test::check_object_store(*open_in(posix_file_system(), dir));
}

TEST_CASE("a directory without hard links does what every bucket must do", "[objstore]") {
  const QuietLog quiet;
  const TempDir dir;
  FaultyFileSystem files;
  files.set_links_refused(true);
  test::check_object_store(*open_in(files, dir));
}

TEST_CASE("a bucket is the same after it was opened again", "[objstore]") {
  const TempDir dir;
  REQUIRE(open_in(posix_file_system(), dir)->put("a/b", "body"));
  CHECK(test::read_all(*open_in(posix_file_system(), dir), "a/b") == "body");
}

/// As if they had been left eleven minutes ago.
void age_temporaries(const TempDir& dir) {
  const auto then = std::filesystem::file_time_type::clock::now() - std::chrono::minutes(11);
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "bucket")) {
    if (entry.path().filename().string().starts_with('~'))
      std::filesystem::last_write_time(entry.path(), then);
  }
}

TEST_CASE("leftover temporaries are never listed and go at the next start", "[objstore]") {
  const TempDir dir;
  auto store = open_in(posix_file_system(), dir);
  REQUIRE(store->put("l0/w/1", "x"));
  std::ofstream(dir / "bucket/l0/w/~left") << "half";
  std::ofstream(dir / "bucket/~left") << "half";
  CHECK(test::keys_of(*store) == std::vector<std::string>{"l0/w/1"});
  // Another process may be writing them now.
  store = open_in(posix_file_system(), dir);
  CHECK(files_below(dir / "bucket") == 3);
  age_temporaries(dir);
  store = open_in(posix_file_system(), dir);
  CHECK(files_below(dir / "bucket") == 1);
}

TEST_CASE("symbolic links in the bucket are not listed", "[objstore]") {
  const TempDir dir;
  auto store = open_in(posix_file_system(), dir);
  std::ofstream(dir / "secret") << "x";
  std::filesystem::create_symlink(dir / "secret", dir / "bucket/link");
  CHECK(test::keys_of(*store).empty());
}

TEST_CASE("of many concurrent creators of a key exactly one wins", "[objstore]") {
  const TempDir dir;
  auto store = open_in(posix_file_system(), dir);
  std::atomic<int> created = 0;
  std::atomic<int> winner = -1;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        const auto outcome = store->put_if_absent("x/y", std::to_string(t));
        if (outcome && *outcome == Outcome::created) {
          ++created;
          winner = t;
        }
      });
    }
  }
  CHECK(created == 1);
  CHECK(test::read_all(*store, "x/y") == std::to_string(winner));
}

TEST_CASE("whichever file-system call fails, an object is absent or whole and a retry works",
          "[objstore]") {
  for (uint64_t n = 1;; ++n) {
    const TempDir dir;
    FaultyFileSystem files;
    auto store = open_in(files, dir);
    files.arm(n);
    const auto first = store->put_if_absent("d/key", "body");
    const bool fired = files.fired();
    files.arm(0);
    INFO("call " << n);
    auto object = store->open("d/key");
    REQUIRE(object);
    if (*object != nullptr) CHECK(test::read_all(*store, "d/key") == "body");
    if (first) CHECK(*first == Outcome::created);
    CHECK(store->put_if_absent("d/key", "body"));
    CHECK(test::read_all(*store, "d/key") == "body");
    age_temporaries(dir);
    store = open_in(files, dir);
    CHECK(files_below(dir / "bucket") == 1);
    if (!fired) break;
  }
}

TEST_CASE("a read-only bucket opens, reads, and refuses to write", "[objstore]") {
  const QuietLog quiet;
  const TempDir dir;
  FaultyFileSystem files;
  REQUIRE(open_in(files, dir)->put("a", "1"));
  files.set_read_only(true);
  auto store = open_in(files, dir);
  CHECK(test::read_all(*store, "a") == "1");
  CHECK(store->put("b", "2").error().code == ErrorCode::unavailable);
  CHECK(store->put_if_absent("b", "2").error().code == ErrorCode::unavailable);
}

TEST_CASE("a bucket whose root is a file is refused", "[objstore]") {
  const TempDir dir;
  std::ofstream(dir / "bucket") << "x";
  CHECK_FALSE(open_local_store(posix_file_system(), dir / "bucket"));
}

}  // namespace
}  // namespace hearth::objstore
