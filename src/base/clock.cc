#include "hearth/clock.h"

#include <ctime>

namespace hearth {
namespace {

int64_t read_ns(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return int64_t{ts.tv_sec} * 1'000'000'000 + ts.tv_nsec;
}

class SystemClock final : public Clock {
 public:
  int64_t wall_ns() const override { return read_ns(CLOCK_REALTIME); }
  int64_t boot_ns() const override { return read_ns(CLOCK_BOOTTIME); }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace hearth
