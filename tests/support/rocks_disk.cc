#include "support/rocks_disk.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <cstring>

namespace hearth::test {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus io(const Error& error) {
  if (error.code == ErrorCode::not_found) return IOStatus::PathNotFound(error.message);
  return IOStatus::IOError(error.message);
}
IOStatus io(const Status& status) {
  return status ? IOStatus::OK() : io(status.error());
}

/// RocksDB joins paths with any number of slashes.
std::string clean(const std::string& path) {
  std::string out;
  for (const char c : path) {
    if (c != '/' || out.empty() || out.back() != '/') out.push_back(c);
  }
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return out;
}

class Sequential final : public rocksdb::FSSequentialFile {
 public:
  explicit Sequential(std::shared_ptr<PowerCutDisk::Reading> file) : file_(std::move(file)) {}
  IOStatus Read(size_t n, const IOOptions& /*options*/, Slice* result, char* scratch,
                IODebugContext* /*dbg*/) override {
    const auto bytes = file_->read(at_, n);
    if (!bytes) return io(bytes.error());
    std::memcpy(scratch, bytes->data(), bytes->size());
    *result = Slice(scratch, bytes->size());
    at_ += bytes->size();
    return IOStatus::OK();
  }
  IOStatus Skip(uint64_t n) override {
    at_ = std::min(at_ + n, file_->size());
    return IOStatus::OK();
  }

 private:
  const std::shared_ptr<PowerCutDisk::Reading> file_;
  uint64_t at_ = 0;
};

class RandomAccess final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccess(std::shared_ptr<PowerCutDisk::Reading> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t n, const IOOptions& /*options*/, Slice* result,
                char* scratch, IODebugContext* /*dbg*/) const override {
    const auto bytes = file_->read(offset, n);
    if (!bytes) return io(bytes.error());
    std::memcpy(scratch, bytes->data(), bytes->size());
    *result = Slice(scratch, bytes->size());
    return IOStatus::OK();
  }

 private:
  const std::shared_ptr<PowerCutDisk::Reading> file_;
};

class Writable final : public rocksdb::FSWritableFile {
 public:
  explicit Writable(std::unique_ptr<WritableFile> file, uint64_t size)
      : file_(std::move(file)), size_(size) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions& /*options*/,
                  IODebugContext* /*dbg*/) override {
    size_ += data.size();
    return io(file_->append({data.data(), data.size()}));
  }
  IOStatus Truncate(uint64_t size, const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    if (size == size_) return IOStatus::OK();
    size_ = size;
    return io(file_->allocate(size));
  }
  IOStatus Close(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return IOStatus::OK();
  }
  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return io(file_->sync());
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* dbg) override {
    return Sync(options, dbg);
  }
  [[nodiscard]] bool IsSyncThreadSafe() const override { return true; }
  uint64_t GetFileSize(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return size_;
  }

 private:
  const std::unique_ptr<WritableFile> file_;
  uint64_t size_;
};

class Directory final : public rocksdb::FSDirectory {
 public:
  Directory(PowerCutDisk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return io(disk_.sync_directory(path_));
  }
  IOStatus Close(const IOOptions& /*options*/, IODebugContext* /*dbg*/) override {
    return IOStatus::OK();
  }

 private:
  PowerCutDisk& disk_;
  const std::string path_;
};

/// Nobody else is on this disk.
class Lock final : public rocksdb::FileLock {};

class DiskFileSystem final : public rocksdb::FileSystem {
 public:
  explicit DiskFileSystem(PowerCutDisk& disk) : disk_(disk) {}
  [[nodiscard]] const char* Name() const override { return "hearth.power_cut_disk"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions& /*options*/,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext* /*dbg*/) override {
    return opened(disk_.read_from(clean(path)),
                  [&](auto file) { *result = std::make_unique<Sequential>(std::move(file)); });
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions& /*options*/,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext* /*dbg*/) override {
    return opened(disk_.read_from(clean(path)),
                  [&](auto file) { *result = std::make_unique<RandomAccess>(std::move(file)); });
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& /*options*/,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* /*dbg*/) override {
    return opened(disk_.create(clean(path)),
                  [&](auto file) { *result = std::make_unique<Writable>(std::move(file), 0); });
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& /*options*/,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* /*dbg*/) override {
    const auto stat = disk_.stat(clean(path));
    if (!stat) return io(stat.error());
    return opened(disk_.reopen(clean(path)), [&](auto file) {
      *result = std::make_unique<Writable>(std::move(file), stat->size);
    });
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions& /*options*/,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* /*dbg*/) override {
    *result = std::make_unique<Directory>(disk_, clean(path));
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& path, const IOOptions& /*options*/,
                      IODebugContext* /*dbg*/) override {
    const auto stat = disk_.stat(clean(path));
    if (stat) return IOStatus::OK();
    const bool absent = stat.error().code == ErrorCode::not_found;
    return absent ? IOStatus::NotFound() : io(stat.error());
  }
  IOStatus GetChildren(const std::string& path, const IOOptions& /*options*/,
                       std::vector<std::string>* result, IODebugContext* /*dbg*/) override {
    result->clear();
    const auto entries = disk_.list(clean(path));
    if (!entries) return io(entries.error());
    for (const auto& entry : *entries) result->push_back(entry.name);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions& /*options*/,
                      IODebugContext* /*dbg*/) override {
    return io(disk_.remove(clean(path)));
  }
  IOStatus Truncate(const std::string& path, size_t size, const IOOptions& /*options*/,
                    IODebugContext* /*dbg*/) override {
    const auto file = disk_.reopen(clean(path));
    return file ? io((*file)->allocate(size)) : io(file.error());
  }
  IOStatus CreateDir(const std::string& path, const IOOptions& /*options*/,
                     IODebugContext* /*dbg*/) override {
    return io(disk_.make_directory(clean(path)));
  }
  IOStatus CreateDirIfMissing(const std::string& path, const IOOptions& /*options*/,
                              IODebugContext* /*dbg*/) override {
    return disk_.is_directory(clean(path)) ? IOStatus::OK() : io(disk_.make_directory(clean(path)));
  }
  IOStatus DeleteDir(const std::string& path, const IOOptions& /*options*/,
                     IODebugContext* /*dbg*/) override {
    return io(disk_.remove_directory(clean(path)));
  }
  IOStatus GetFileSize(const std::string& path, const IOOptions& /*options*/, uint64_t* size,
                       IODebugContext* /*dbg*/) override {
    return opened(disk_.stat(clean(path)), [&](const auto& stat) { *size = stat.size; });
  }
  IOStatus GetFileModificationTime(const std::string& path, const IOOptions& /*options*/,
                                   uint64_t* time, IODebugContext* /*dbg*/) override {
    return opened(disk_.stat(clean(path)), [&](const auto& /*stat*/) { *time = 0; });
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& /*options*/,
                      IODebugContext* /*dbg*/) override {
    return io(disk_.rename(clean(from), clean(to)));
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions& /*options*/,
                    IODebugContext* /*dbg*/) override {
    return io(disk_.link(clean(from), clean(to)));
  }
  IOStatus LockFile(const std::string& /*path*/, const IOOptions& /*options*/,
                    rocksdb::FileLock** lock, IODebugContext* /*dbg*/) override {
    *lock = new Lock;
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions& /*options*/,
                      IODebugContext* /*dbg*/) override {
    delete static_cast<Lock*>(lock);
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions& /*options*/, std::string* path,
                            IODebugContext* /*dbg*/) override {
    *path = "/tmp";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions& /*options*/,
                           std::string* result, IODebugContext* /*dbg*/) override {
    *result = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions& /*options*/, bool* is_directory,
                       IODebugContext* /*dbg*/) override {
    *is_directory = disk_.is_directory(clean(path));
    return IOStatus::OK();
  }

 private:
  template <class T, class Take>
  static IOStatus opened(Result<T> result, Take take) {
    if (!result) return io(result.error());
    take(std::move(*result));
    return IOStatus::OK();
  }

  PowerCutDisk& disk_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> rocks_env_on(PowerCutDisk& disk) {
  return rocksdb::NewCompositeEnv(std::make_shared<DiskFileSystem>(disk));
}

}  // namespace hearth::test
