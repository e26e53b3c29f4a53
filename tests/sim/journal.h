#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "base/hash.h"

namespace hearth::sim {

/// What happened in a run, in order. Its hash tells two runs apart; the first failure ends a run.
class Journal {
 public:
  explicit Journal(bool print) : print_(print) {}

  void note(size_t depth, const std::string& line) {
    hash_ = hash64(line, hash_);
    if (print_) std::printf("%*s%s\n", static_cast<int>(2 * depth), "", line.c_str());
  }
  void fail(const std::string& what) {
    if (failure_) return;
    failure_ = what;
    note(0, "FAILED: " + what);
  }
  [[nodiscard]] const std::optional<std::string>& failure() const { return failure_; }
  [[nodiscard]] uint64_t hash() const { return hash_; }

 private:
  const bool print_;
  uint64_t hash_ = 0;
  std::optional<std::string> failure_;
};

}  // namespace hearth::sim
