#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/file_system.h"
#include "base/result.h"

namespace hearth::storage {

/// The right to use a data directory, held until destroyed: flock(2) on `<dir>/lock`, and
/// `<dir>/owner` with the holder's host and process id for the message to whoever comes second.
class DataDir {
 public:
  /// Creates the directory. `conflict`, naming the owner, when another process (or another store of
  /// this one) holds it. A directory that cannot be written is opened too: see read_only_reason().
  [[nodiscard]] static Result<std::unique_ptr<DataDir>> acquire(FileSystem& files,
                                                                const std::string& path);
  ~DataDir();
  DataDir(const DataDir&) = delete;
  DataDir& operator=(const DataDir&) = delete;

  /// Why nothing can be written here; "" when something can.
  [[nodiscard]] const std::string& read_only_reason() const { return read_only_reason_; }

 private:
  explicit DataDir(int lock) : lock_(lock) {}
  int lock_;
  std::string read_only_reason_;
};

/// Free space below a directory with hysteresis: low below min(10 %, 2 GiB), enough again above
/// 1.5 times that (docs/operations.md 3): writes must stop before a seal has no room.
class DiskGuard {
 public:
  DiskGuard(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}
  /// Looks again. A file system that does not answer counts as unchanged.
  void check();
  [[nodiscard]] bool low() const { return low_; }
  [[nodiscard]] uint64_t free_bytes() const { return free_bytes_; }

 private:
  FileSystem& files_;
  const std::string path_;
  bool low_ = false;
  std::atomic<uint64_t> free_bytes_ = 0;
};

}  // namespace hearth::storage
