#pragma once

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

}  // namespace hearth::storage
