#pragma once

#include <cstdint>

namespace hearth {

/// All time comes through here, so that tests and simulation own it. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// UTC in nanoseconds since 1970. May jump: use it for labels and default query ranges only.
  [[nodiscard]] virtual int64_t wall_ns() const = 0;
  /// Nanoseconds that never go back and include suspend (CLOCK_BOOTTIME): deadlines, leases, intervals.
  [[nodiscard]] virtual int64_t boot_ns() const = 0;
};

/// The machine's clock; lives as long as the process.
const Clock& system_clock();

}  // namespace hearth
