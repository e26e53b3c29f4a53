#pragma once

#include <atomic>
#include <cstdint>

#include "hearth/clock.h"

namespace hearth::test {

/// Stands still until it is told to move. Thread-safe.
class ManualClock final : public Clock {
 public:
  [[nodiscard]] int64_t wall_ns() const override { return wall_ns_; }
  [[nodiscard]] int64_t boot_ns() const override { return boot_ns_; }
  /// Moves both.
  void advance(int64_t ns) {
    wall_ns_ += ns;
    boot_ns_ += ns;
  }
  /// As when somebody sets the machine's time.
  void jump_wall(int64_t ns) { wall_ns_ += ns; }

 private:
  std::atomic<int64_t> wall_ns_ = 1'700'000'000'000'000'000;
  std::atomic<int64_t> boot_ns_ = 1'000'000'000'000;
};

}  // namespace hearth::test
