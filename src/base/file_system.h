#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth {

/// A file being written. Nothing is durable before sync() returned success; after a failed sync the
/// file must be abandoned and the process must stop (Rebello et al., "Can Applications Recover from
/// fsync Failures?", USENIX ATC 2020): a second fsync on the same descriptor may lie.
class WritableFile {
 public:
  virtual ~WritableFile() = default;  ///< Closes without sync.
  [[nodiscard]] virtual Status append(std::string_view data) = 0;
  [[nodiscard]] virtual Status sync() = 0;
  /// Makes the file `bytes` long and takes the space for them; they read as zeros. `unavailable` when there is not that
  /// much, `internal` where the file system cannot do it without writing them.
  [[nodiscard]] virtual Status allocate(uint64_t bytes) = 0;
};

/// A file mapped or read by range. Immutable while open. Thread-safe.
class RandomAccessFile {
 public:
  virtual ~RandomAccessFile() = default;
  [[nodiscard]] virtual uint64_t size() const = 0;
  /// The whole file, valid as long as this object (a mapping, or memory in doubles).
  [[nodiscard]] virtual std::string_view data() const = 0;
};

/// Every file that hearth itself writes or reads goes through here, so that tests can drop what was not synced and fail the
/// n-th call. RocksDB brings its own. Paths are as given to open(2). Errors carry path and errno text: `not_found` for ENOENT,
/// `conflict` for EEXIST, `unavailable` for ENOSPC, EDQUOT, EROFS, EMFILE; `internal` else. Thread-safe.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  /// Creates or truncates; mode 0640.
  [[nodiscard]] virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;
  [[nodiscard]] virtual Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) = 0;
  /// link(2): `conflict` when `to` exists, which makes it the atomic create-if-absent.
  [[nodiscard]] virtual Status link(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Status rename(const std::string& from, const std::string& to) = 0;
  [[nodiscard]] virtual Status remove(const std::string& path) = 0;
  /// Creates the directory and its missing parents (mode 0750) and syncs each parent that it changed.
  [[nodiscard]] virtual Status make_directories(const std::string& path) = 0;
  /// fsync of a directory: makes creations, links, renames and removals in it durable.
  [[nodiscard]] virtual Status sync_directory(const std::string& path) = 0;
  struct Entry {
    std::string name;
    bool directory = false;
    bool operator<(const Entry& other) const { return name < other.name; }
  };
  /// Entries without "." and "..", sorted by name; symbolic links are left out.
  [[nodiscard]] virtual Result<std::vector<Entry>> list(const std::string& path) = 0;
  struct Stat {
    uint64_t size = 0;
    int64_t modified_ns = 0;
  };
  [[nodiscard]] virtual Result<Stat> stat(const std::string& path) = 0;
  /// Bytes that an unprivileged process may still write below `path`, and the size of the file system.
  struct Space {
    uint64_t free_bytes = 0;
    uint64_t total_bytes = 0;
  };
  [[nodiscard]] virtual Result<Space> space(const std::string& path) = 0;
};

/// POSIX. Lives as long as the process.
FileSystem& posix_file_system();

}  // namespace hearth
