#include "process_stats.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/check.h"

namespace hearth::bench {
namespace {

/// The number behind `key` in a file of "key: number" lines; 0 when there is none.
uint64_t number_in(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(key)) return std::strtoull(line.c_str() + key.size(), nullptr, 10);
  }
  return 0;
}

double cpu_seconds_of(decltype(RUSAGE_SELF) who) {
  rusage usage{};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

double cpu_seconds() {
  return cpu_seconds_of(RUSAGE_SELF);
}
double children_cpu_seconds() {
  return cpu_seconds_of(RUSAGE_CHILDREN);
}

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double resident_mib() {
  return static_cast<double>(number_in("/proc/self/status", "VmRSS:")) / 1024;
}
double peak_resident_mib() {
  return static_cast<double>(number_in("/proc/self/status", "VmHWM:")) / 1024;
}
void reset_peak_resident() {
  std::ofstream("/proc/self/clear_refs") << 5;
}

uint64_t disk_bytes_written() {
  return number_in("/proc/self/io", "write_bytes:");
}

double percentile(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

std::vector<double> fdatasync_us(const std::string& directory, size_t count) {
  std::filesystem::create_directories(directory);
  const std::string path = directory + "/fdatasync";
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  HEARTH_CHECK(fd >= 0, "create a file to sync");
  const std::string page(4096, 'x');
  std::vector<double> us;
  for (size_t i = 0; i < count; ++i) {
    const double begin = wall_seconds();
    HEARTH_CHECK(::write(fd, page.data(), page.size()) == 4096 && ::fdatasync(fd) == 0,
                 "fdatasync");
    us.push_back((wall_seconds() - begin) * 1e6);
  }
  ::close(fd);
  ::unlink(path.c_str());
  return us;
}

}  // namespace hearth::bench
