#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace hearth::bench {

/// The program that was built with this one.
std::filesystem::path program();

/// `hearth serve` on a free port, from its start to its answers; a process of its own.
class Served {
 public:
  explicit Served(const std::string& data, const std::vector<std::string>& flags = {});
  ~Served();
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  [[nodiscard]] uint16_t port() const { return port_; }
  /// From the call of the program to "listening on", which is printed when requests are answered.
  [[nodiscard]] double ready_ms() const { return ready_ms_; }
  /// A line of /proc/PID/status in MiB: VmRSS, VmHWM (its peak), RssAnon (without mapped files) …
  [[nodiscard]] double memory_mib(const std::string& line) const;
  /// The peak counts from here on.
  void reset_peak() const;
  /// CPU time of all threads so far, user and system.
  [[nodiscard]] double cpu_seconds() const;
  /// From SIGTERM to the end.
  double stop_ms();

 private:
  void wait_until_it_listens(int fd);

  pid_t pid_ = -1;
  double begin_ = 0;
  double ready_ms_ = 0;
  uint16_t port_ = 0;
};

}  // namespace hearth::bench
