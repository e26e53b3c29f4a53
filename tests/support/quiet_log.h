#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/log.h"

namespace hearth::test {

/// Keeps log lines off the terminal, and for whoever looks at them, while it lives.
class QuietLog {
 public:
  QuietLog() {
    log::set_sink([this](log::Level, std::string_view line) {
      const std::lock_guard lock(mutex_);
      lines_ += line;
      lines_ += '\n';
    });
  }
  ~QuietLog() { log::set_sink({}); }
  QuietLog(const QuietLog&) = delete;
  QuietLog& operator=(const QuietLog&) = delete;

  [[nodiscard]] std::string lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::string lines_;
};

}  // namespace hearth::test
