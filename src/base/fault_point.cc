#include "base/fault_point.h"

#ifdef HEARTH_FAULT_POINTS

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>

namespace hearth {
namespace {

/// A point named by an environment variable, with the passes left until it fires.
class Armed {
 public:
  explicit Armed(const char* variable) {
    const char* spec = std::getenv(variable);
    if (spec == nullptr) return;
    const std::string_view text(spec);
    const size_t colon = text.rfind(':');
    name_ = text.substr(0, colon);
    passes_left_ = colon == std::string_view::npos ? 1 : std::atoi(text.substr(colon + 1).data());
  }
  bool fires(const char* name) { return name_ == name && passes_left_.fetch_sub(1) == 1; }

 private:
  std::string name_;
  std::atomic<int> passes_left_ = 0;
};

}  // namespace

// Leaked on purpose: points are passed until the last instruction.
void pass_kill_point(const char* name) {
  static Armed* const armed = new Armed("HEARTH_KILL_POINT");
  if (armed->fires(name)) kill(getpid(), SIGKILL);
}

bool pass_fail_point(const char* name) {
  static Armed* const armed = new Armed("HEARTH_FAIL_POINT");
  return armed->fires(name);
}

}  // namespace hearth

#endif
