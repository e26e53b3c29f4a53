#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>

#include "hearth/clock.h"
#include "sim/journal.h"
#include "storage/retention.h"
#include "support/manual_clock.h"
#include "support/memory_bucket.h"
#include "support/profile_gen.h"

namespace hearth::sim {

inline constexpr int64_t kSecond = 1'000'000'000;
inline constexpr int64_t kMinute = 60 * kSecond;
inline constexpr int64_t kHour = 60 * kMinute;
inline constexpr int64_t kDay = 24 * kHour;

/// What kind of a world a seed has.
struct Settings {
  size_t nodes = 1;            ///< Processes that write and compact, all on one bucket.
  int64_t list_delay_ns = 0;   ///< New objects are listed only after this time.
  int64_t retention_ns = 0;    ///< 0: nothing is forgotten.
  uint64_t epoch_nodes = 0;    ///< An epoch ends with this many nodes in its dictionary.
  uint64_t segment_bytes = 0;  ///< What merged segments aim at.
  uint64_t fault_percent = 0;  ///< Of calls on the bucket outside of bursts.
};

/// What all processes of a run share: one source of chance, the true time, the bucket.
struct World {
  World(uint64_t seed, bool print) : dice(seed), journal(print) {
    settings.nodes = dice.percent(40) ? 1 : 2 + dice.below(2);
    if (dice.percent(30))
      settings.list_delay_ns = static_cast<int64_t>(1 + dice.below(60)) * kSecond;
    if (dice.percent(30)) settings.retention_ns = static_cast<int64_t>(12 + dice.below(36)) * kHour;
    settings.epoch_nodes = dice.percent(30) ? 1 + dice.below(200) : 1'000'000;
    settings.segment_bytes = dice.percent(50) ? 2048 + dice.below(16'384) : 1 << 20;
    settings.fault_percent = dice.below(4);
    bucket.delay_listing(settings.list_delay_ns);
  }

  [[nodiscard]] bool shared() const { return settings.nodes > 1; }
  /// Whether anything may go wrong now.
  [[nodiscard]] bool calm() const { return calm_; }
  void set_calm() {
    calm_ = true;
    burst_percent = 0;
  }
  void note(const std::string& line) { journal.note(depth, line); }

  test::Dice dice;
  Settings settings;
  test::ManualClock clock;  ///< The true time, which the bucket has.
  test::MemoryBucket bucket{clock};
  Journal journal;
  size_t depth = 0;            ///< Operations that others interrupted.
  uint64_t burst_percent = 0;  ///< Of calls on the bucket that fail while a burst lasts.
  uint64_t faults = 0;         ///< That happened so far.
  mutable int64_t latest_wall_ns = INT64_MIN;  ///< The latest time that any process believed in.
  std::function<void()> interleave;            ///< Somebody else may do something now.

 private:
  bool calm_ = false;
};

/// The clock of a process: its wall clock may be wrong.
class NodeClock final : public Clock {
 public:
  explicit NodeClock(const World& world) : world_(world) {}
  [[nodiscard]] int64_t wall_ns() const override {
    const int64_t now_ns = world_.clock.wall_ns() + offset_ns_;
    world_.latest_wall_ns = std::max(world_.latest_wall_ns, now_ns);
    return now_ns;
  }
  [[nodiscard]] int64_t boot_ns() const override { return world_.clock.boot_ns(); }
  void set_offset(int64_t ns) { offset_ns_ = ns; }

 private:
  const World& world_;
  int64_t offset_ns_ = 0;
};

}  // namespace hearth::sim
