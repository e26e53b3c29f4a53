// The store on RocksDB and a directory bucket, both on a disk that loses power at any moment, and
// with it what was not synced, in whole or in part.
#include "objstore/local_store.h"
#include "support/catch.h"
#include "support/power_cut_disk.h"
#include "support/quiet_log.h"
#include "support/rocks_disk.h"
#include "support/store_model.h"

#include <rocksdb/env.h>

namespace hearth::storage {
namespace {

using test::Dice;
using test::PowerCutDisk;
using test::QuietLog;
using test::StoreUnderTest;
using Survives = PowerCutDisk::Survives;

constexpr uint64_t kWorlds = 10;
constexpr int kRounds = 20;
constexpr int kOperations = 40;
constexpr int64_t kSecond = 1'000'000'000;

/// A store all of whose files are on one such disk.
class PoweredStore {
 public:
  explicit PoweredStore(uint64_t seed) : store_(seed), dice_(seed) {
    store_.options().files = &disk_;
    store_.options().data_dir = "/hearth";
    store_.options().seal_bytes = 2048;
    store_.set_bucket([this] { return objstore::open_local_store(disk_, "/hearth/bucket"); });
    store_.set_kv([this] { return open_rocks_kv_store(disk_, "/hearth/db", env_.get()); });
    REQUIRE(store_.reopen());
  }
  ~PoweredStore() { store_.close(); }

  void live_until_the_power_goes() {
    disk_.cut_after(dice_.below(dice_.percent(30) ? 20 : 300));
    for (int i = 0; i < kOperations && !disk_.is_off(); ++i) operate();
    disk_.cut_after(0);
  }
  /// The next life; `what` says what the last one lost.
  std::string come_back() {
    store_.close();
    const uint64_t kind = dice_.below(8);
    if (kind < 2) {
      disk_.restart();
      REQUIRE(store_.reopen());
      return "the process died";
    }
    const Survives survives = kind < 4   ? Survives::nothing
                              : kind < 7 ? Survives::some
                                         : Survives::all;
    disk_.restore(survives, dice_);
    // The power may go again while it starts.
    if (dice_.percent(25)) {
      disk_.cut_after(dice_.below(60));
      (void)store_.reopen();
      store_.close();
      disk_.restore(survives, dice_);
    }
    REQUIRE(store_.reopen());
    return kind < 4 ? "all that was not synced" : kind < 7 ? "some of it" : "none of it";
  }
  void check() { store_.check(); }

 private:
  void operate() {
    const uint64_t choice = dice_.below(100);
    if (choice < 70) {
      (void)store_.append(dice_.percent(50) ? "acme" : "globex",
                          "svc" + std::to_string(dice_.below(3)), "pod");
    } else if (choice < 82) {
      (void)store_.store().seal();
    } else if (choice < 92) {
      store_.clock().advance(static_cast<int64_t>(dice_.below(40)) * kSecond);
      (void)store_.store().step();
    } else {
      (void)store_.store().compact(true, {});
    }
  }

  PowerCutDisk disk_;
  std::unique_ptr<rocksdb::Env> env_ = test::rocks_env_on(disk_);
  StoreUnderTest store_;
  Dice dice_;
};

TEST_CASE(
    "whenever the power goes, nothing acknowledged is lost or doubled and the next start works",
    "[fault]") {
  const QuietLog quiet;
  for (uint64_t seed = 1; seed <= kWorlds; ++seed) {
    PoweredStore t(seed);
    for (int round = 0; round < kRounds; ++round) {
      t.live_until_the_power_goes();
      INFO("world " << seed << ", round " << round);
      const std::string lost = t.come_back();
      INFO("lost: " << lost);
      t.check();
    }
  }
}

TEST_CASE("an object that the next process finds survives the next power cut", "[fault]") {
  const QuietLog quiet;
  for (const uint64_t more : {0, 1}) {  // Objects in the same directory before.
    for (uint64_t calls = 0; calls < 12; ++calls) {
      INFO(more << " before, the process dies after " << calls << " calls");
      PowerCutDisk disk;
      Dice dice(1);
      auto bucket = objstore::open_local_store(disk, "/data/bucket");
      REQUIRE(bucket);
      if (more > 0) REQUIRE((*bucket)->put_if_absent("m/day/0", "object"));
      disk.cut_after(calls);
      (void)(*bucket)->put_if_absent("m/day/1", "object");
      disk.restart();
      bucket = objstore::open_local_store(disk, "/data/bucket");
      REQUIRE(bucket);
      const auto found = (*bucket)->open("m/day/1");
      REQUIRE(found);
      disk.restore(Survives::nothing, dice);
      bucket = objstore::open_local_store(disk, "/data/bucket");
      REQUIRE(bucket);
      const auto left = (*bucket)->open("m/day/1");
      REQUIRE(left);
      CHECK((*found != nullptr) == (*left != nullptr));
    }
  }
}

}  // namespace
}  // namespace hearth::storage
