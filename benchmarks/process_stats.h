#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What the kernel says about this process, and arithmetic on what was measured.
namespace hearth::bench {

/// CPU time of all threads so far, user and system.
double cpu_seconds();
/// The same of the child processes that have ended.
double children_cpu_seconds();
/// Steady time.
double wall_seconds();

/// Memory in MiB: now, and the most since reset_peak_resident().
double resident_mib();
double peak_resident_mib();
void reset_peak_resident();

/// Bytes that this process has handed to block devices: pages made dirty count when they are,
/// files of a tmpfs never.
uint64_t disk_bytes_written();

/// The value that a share `q` of the values does not exceed; 0 for none.
double percentile(std::vector<double> values, double q);

/// Microseconds of one 4 KB append with fdatasync, on the disk of `directory`: `count` of them.
std::vector<double> fdatasync_us(const std::string& directory, size_t count);

}  // namespace hearth::bench
