#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "base/file_system.h"

namespace hearth::storage {

/// Space below a directory, and a file `<dir>/reserve` that holds some of it back: min(256 MiB, 5
/// %) of the file system, allocated but never written. Appends are refused long before it is
/// needed; it is given up when space really ends, so that seals, compaction and the next start
/// still find some, and taken again when there is enough. Not thread-safe but free_bytes().
class DiskReserve {
 public:
  /// `max_bytes` 0: no reserve.
  DiskReserve(FileSystem& files, std::string directory, uint64_t max_bytes);

  /// Looks at the space. A file system that does not answer counts as unchanged; nullopt then.
  std::optional<FileSystem::Space> measure();
  /// The same, and gives the reserve up or takes it. A file system that cannot allocate has none.
  void check();
  /// Low below min(10 %, 2 GiB) free; enough again above 1.5 times that.
  [[nodiscard]] bool low() const { return low_; }
  [[nodiscard]] uint64_t free_bytes() const { return free_bytes_; }

  /// Gives up what an earlier life held back; false when there was nothing.
  static bool give_up(FileSystem& files, const std::string& directory);
  /// The same if space has ended: for a start, before its first write.
  static void make_room(FileSystem& files, const std::string& directory);

 private:
  void keep(const FileSystem::Space& space);
  [[nodiscard]] Status take(uint64_t bytes);

  FileSystem& files_;
  const std::string directory_;
  const uint64_t max_bytes_;
  bool low_ = false;
  bool held_ = false;
  bool refused_ = false;  ///< The file system does not allocate.
  std::atomic<uint64_t> free_bytes_ = 0;
};

}  // namespace hearth::storage
