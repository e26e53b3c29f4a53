#include "base/file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace hearth {
namespace {

tl::unexpected<Error> errno_error(std::string_view attempt, std::string_view path, int error) {
  ErrorCode code = ErrorCode::internal;
  if (error == ENOENT) code = ErrorCode::not_found;
  if (error == EEXIST) code = ErrorCode::conflict;
  if (error == ENOSPC || error == EDQUOT || error == EROFS || error == EMFILE || error == ENFILE) {
    code = ErrorCode::unavailable;
  }
  return fail(code, fmt::format("{} \"{}\": {}", attempt, path, std::generic_category().message(error)));
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

class PosixWritable final : public WritableFile {
 public:
  PosixWritable(Fd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Status append(std::string_view data) override {
    while (!data.empty()) {
      const ssize_t n = ::write(fd_.get(), data.data(), data.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error("write", path_, errno);
      data.remove_prefix(static_cast<size_t>(n));
    }
    return {};
  }
  Status sync() override {
    if (::fsync(fd_.get()) != 0) return errno_error("fsync", path_, errno);
    return {};
  }
  Status allocate(uint64_t bytes) override {
    // Not posix_fallocate(3), which writes to every block where the file system cannot allocate.
    if (::fallocate(fd_.get(), 0, 0, static_cast<off_t>(bytes)) != 0) return errno_error("allocate", path_, errno);
    return {};
  }

 private:
  Fd fd_;
  std::string path_;
};

class PosixMapped final : public RandomAccessFile {
 public:
  PosixMapped(void* map, uint64_t size) : map_(map), size_(size) {}
  PosixMapped(const PosixMapped&) = delete;
  PosixMapped& operator=(const PosixMapped&) = delete;
  ~PosixMapped() override {
    if (size_ > 0) ::munmap(map_, size_);
  }
  uint64_t size() const override { return size_; }
  std::string_view data() const override { return {static_cast<const char*>(map_), size_}; }

 private:
  void* map_;
  uint64_t size_;
};

std::string parent_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
    if (fd.get() < 0) return errno_error("create", path, errno);
    return std::make_unique<PosixWritable>(std::move(fd), path);
  }

  Result<std::unique_ptr<RandomAccessFile>> open(const std::string& path) override {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return errno_error("open", path, errno);
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) return errno_error("stat", path, errno);
    if (!S_ISREG(st.st_mode)) return fail(ErrorCode::invalid_argument, fmt::format("open \"{}\": not a regular file", path));
    const auto size = static_cast<uint64_t>(st.st_size);
    void* map = nullptr;
    if (size > 0) {
      map = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.get(), 0);
      if (map == MAP_FAILED) return errno_error("mmap", path, errno);
    }
    return std::make_unique<PosixMapped>(map, size);
  }

  Status link(const std::string& from, const std::string& to) override {
    if (::link(from.c_str(), to.c_str()) != 0) return errno_error("link", to, errno);
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("rename", to, errno);
    return {};
  }
  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return errno_error("remove", path, errno);
    return {};
  }

  Status make_directories(const std::string& path) override {
    if (::mkdir(path.c_str(), 0750) == 0) return sync_directory(parent_of(path));
    if (errno == EEXIST) {
      struct stat st {};
      if (::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode)) return {};
      return errno_error("create directory", path, ENOTDIR);
    }
    if (errno != ENOENT) return errno_error("create directory", path, errno);
    if (auto made = make_directories(parent_of(path)); !made) return made;
    if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST) return errno_error("create directory", path, errno);
    return sync_directory(parent_of(path));
  }

  Status sync_directory(const std::string& path) override {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (fd.get() < 0) return errno_error("open directory", path, errno);
    if (::fsync(fd.get()) != 0) return errno_error("fsync directory", path, errno);
    return {};
  }

  Result<std::vector<Entry>> list(const std::string& path) override {
    DIR* dir = ::opendir(path.c_str());
    if (dir == nullptr) return errno_error("list", path, errno);
    std::vector<Entry> entries;
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view name(entry->d_name);
      if (name == "." || name == "..") continue;
      unsigned char type = entry->d_type;
      if (type == DT_UNKNOWN) {
        struct stat st {};
        if (::lstat((path + "/" + entry->d_name).c_str(), &st) != 0) continue;
        type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_LNK;
      }
      if (type == DT_DIR || type == DT_REG) entries.push_back({std::string(name), type == DT_DIR});
    }
    ::closedir(dir);
    std::sort(entries.begin(), entries.end());
    return entries;
  }

  Result<Stat> stat(const std::string& path) override {
    struct stat st {};
    if (::stat(path.c_str(), &st) != 0) return errno_error("stat", path, errno);
    return Stat{static_cast<uint64_t>(st.st_size), int64_t{st.st_mtim.tv_sec} * 1'000'000'000 + st.st_mtim.tv_nsec};
  }

  Result<Space> space(const std::string& path) override {
    struct statvfs vfs {};
    if (::statvfs(path.c_str(), &vfs) != 0) return errno_error("statvfs", path, errno);
    return Space{uint64_t{vfs.f_bavail} * vfs.f_frsize, uint64_t{vfs.f_blocks} * vfs.f_frsize};
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem instance;
  return instance;
}

}  // namespace hearth
