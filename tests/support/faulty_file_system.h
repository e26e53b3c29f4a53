#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace hearth::test {

/// Passes every call on, and fails those it is told to fail. Calls are numbered from 1 since the
/// last arm(); reads and writes count alike, append() and sync() of files too.
class FaultyFileSystem final : public FileSystem {
 public:
  explicit FaultyFileSystem(FileSystem& inner = posix_file_system()) : inner_(inner) {}

  /// Fails call `first`; with `sticky` every later one too. 0 = none. Restarts the numbering.
  void arm(uint64_t first, bool sticky = false) {
    calls_ = 0;
    first_ = first;
    sticky_ = sticky;
  }
  /// Makes every call that would change something fail as on a read-only file system.
  void set_read_only(bool read_only) { read_only_ = read_only; }
  /// Free and total bytes that space() tells; nullptr-like {0, 0} = the truth.
  void set_space(Space space) { space_ = space; }
  void set_links_refused(bool refused) { links_refused_ = refused; }
  [[nodiscard]] uint64_t calls() const { return calls_; }
  [[nodiscard]] bool fired() const { return first_ != 0 && calls_ >= first_; }

  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(change("create", path));
    HEARTH_ASSIGN_OR_RETURN(auto file, inner_.create(path));
    return std::make_unique<File>(*this, std::move(file), path);
  }
  Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(call("open", path));
    return inner_.open(path);
  }
  Status link(const std::string& from, const std::string& to) override {
    HEARTH_RETURN_IF_ERROR(change("link", to));
    if (links_refused_) return fail(ErrorCode::internal, "link \"" + to + "\": not supported");
    return inner_.link(from, to);
  }
  Status rename(const std::string& from, const std::string& to) override {
    HEARTH_RETURN_IF_ERROR(change("rename", to));
    return inner_.rename(from, to);
  }
  Status remove(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(change("remove", path));
    return inner_.remove(path);
  }
  Status make_directories(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(change("make directories", path));
    return inner_.make_directories(path);
  }
  Status sync_directory(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(call("sync directory", path));
    return inner_.sync_directory(path);
  }
  Result<std::vector<Entry>> list(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(call("list", path));
    return inner_.list(path);
  }
  Result<Stat> stat(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(call("stat", path));
    return inner_.stat(path);
  }
  Result<Space> space(const std::string& path) override {
    HEARTH_RETURN_IF_ERROR(call("space", path));
    if (space_.total_bytes != 0) return space_;
    return inner_.space(path);
  }

 private:
  class File final : public WritableFile {
   public:
    File(FaultyFileSystem& owner, std::unique_ptr<WritableFile> inner, std::string path)
        : owner_(owner), inner_(std::move(inner)), path_(std::move(path)) {}
    Status append(std::string_view data) override {
      if (Status status = owner_.call("append", path_); !status) {
        // A write that fails may have written a part.
        (void)inner_->append(data.substr(0, data.size() / 2));
        return status;
      }
      return inner_->append(data);
    }
    Status sync() override {
      HEARTH_RETURN_IF_ERROR(owner_.call("sync", path_));
      return inner_->sync();
    }
    Status allocate(uint64_t bytes) override {
      HEARTH_RETURN_IF_ERROR(owner_.call("allocate", path_));
      if (owner_.space_.total_bytes == 0) return inner_->allocate(bytes);
      if (bytes > owner_.space_.free_bytes)
        return fail(ErrorCode::unavailable, "allocate: no space");
      return {};
    }

   private:
    FaultyFileSystem& owner_;
    std::unique_ptr<WritableFile> inner_;
    std::string path_;
  };

  Status call(const std::string& what, const std::string& path) {
    const uint64_t n = ++calls_;
    if (first_ != 0 && (n == first_ || (sticky_ && n > first_))) {
      return fail(ErrorCode::internal, what + " \"" + path + "\": injected fault");
    }
    return {};
  }
  Status change(const std::string& what, const std::string& path) {
    HEARTH_RETURN_IF_ERROR(call(what, path));
    if (read_only_) {
      return fail(ErrorCode::unavailable, what + " \"" + path + "\": Read-only file system");
    }
    return {};
  }

  FileSystem& inner_;
  std::atomic<uint64_t> calls_ = 0;
  uint64_t first_ = 0;
  bool sticky_ = false;
  bool read_only_ = false;
  bool links_refused_ = false;
  Space space_;
};

}  // namespace hearth::test
