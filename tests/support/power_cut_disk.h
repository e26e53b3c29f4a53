#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"
#include "support/profile_gen.h"

namespace hearth::test {

/// A disk in memory that loses power. Bytes of a file are certain to be there afterwards when the
/// file was synced, its name when its directory was; what was not synced survives in part, as on a
/// journaling file system: the first of the changes to directories, in their order, and of each
/// file's tail some bytes, or some pages with zeros between them. Thread-safe.
class PowerCutDisk final : public FileSystem {
 public:
  /// How much of what was not synced survives.
  enum class Survives : uint8_t { nothing, some, all };

  /// The power goes after `n` more calls that change something (0: at once); from then on every
  /// call fails and changes nothing, until restore().
  void cut_after(uint64_t n) {
    const std::lock_guard lock(mutex_);
    calls_left_ = n;
    armed_ = true;
  }
  /// The process dies and the machine goes on: what was written stays, synced or not. Files that it
  /// had open are dead.
  void restart();
  /// The power is back: files of the life before stay dead.
  void restore(Survives survives, Dice& dice);
  [[nodiscard]] bool is_off() const {
    const std::lock_guard lock(mutex_);
    return off_;
  }
  [[nodiscard]] uint64_t changes() const {
    const std::lock_guard lock(mutex_);
    return changes_;
  }

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) override;
  Status link(const std::string& from, const std::string& to) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<Entry>> list(const std::string& path) override;
  Result<Stat> stat(const std::string& path) override;
  Result<Space> space(const std::string& path) override;

  // What a database needs beyond that.
  Result<std::unique_ptr<WritableFile>> reopen(const std::string& path);
  Status make_directory(const std::string& path);
  Status remove_directory(const std::string& path);
  [[nodiscard]] bool is_directory(const std::string& path) const;
  /// Up to `n` bytes of a file as it is now, also while it is written.
  class Reading;
  Result<std::shared_ptr<Reading>> read_from(const std::string& path);

 private:
  class File;
  struct Inode {
    std::string data;
    size_t synced = 0;  ///< Bytes from the begin that are certain.
  };
  using InodePtr = std::shared_ptr<Inode>;
  /// Names of a disk: files, and directories as names without a file.
  using Names = std::map<std::string, InodePtr>;
  /// A change to one directory that was not synced. Empty names: none.
  struct Change {
    std::string directory, removed, added;
    InodePtr inode;
  };

  [[nodiscard]] Status begin_change(std::string_view what, const std::string& path);
  [[nodiscard]] Status check(std::string_view what, const std::string& path) const;
  [[nodiscard]] Result<InodePtr> find(std::string_view what, const std::string& path) const;
  void change(Change change);
  static void apply(const Change& change, Names& names);
  static void lose_tail(Inode& inode, Survives survives, Dice& dice);
  [[nodiscard]] Status make_one(const std::string& path);

  mutable std::mutex mutex_;
  Names live_, durable_;
  std::vector<Change> pending_;  ///< Applied to live_ and not to durable_, in order.
  uint64_t life_ = 0, calls_left_ = 0, changes_ = 0;
  bool armed_ = false, off_ = false;
};

/// A file opened for reading by a database.
class PowerCutDisk::Reading {
 public:
  Reading(PowerCutDisk& disk, InodePtr inode, uint64_t life)
      : disk_(disk), inode_(std::move(inode)), life_(life) {}
  /// As many bytes from `offset` as there are, at most `n`.
  Result<std::string> read(uint64_t offset, size_t n) const;
  [[nodiscard]] uint64_t size() const;

 private:
  PowerCutDisk& disk_;
  const InodePtr inode_;
  const uint64_t life_;
};

}  // namespace hearth::test
