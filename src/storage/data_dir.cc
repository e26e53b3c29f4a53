#include "storage/data_dir.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace hearth::storage {
namespace {

std::string owner_text() {
  std::array<char, 256> host{};
  (void)gethostname(host.data(), host.size() - 1);
  return fmt::format("process {} on {}", getpid(), host.data());
}

std::string read_owner(FileSystem& files, const std::string& path) {
  const auto file = files.open(path + "/owner");
  return file ? std::string((*file)->data().substr(0, 300)) : "an unknown process";
}

Status write_owner(FileSystem& files, const std::string& path) {
  HEARTH_ASSIGN_OR_RETURN(auto file, files.create(path + "/owner"));
  return file->append(owner_text());
}

// A directory that cannot be written may have no lock file; then nobody writes, nobody is locked
// out.
int open_lock(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  return fd >= 0 ? fd : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
}

}  // namespace

Result<std::unique_ptr<DataDir>> DataDir::acquire(FileSystem& files, const std::string& path) {
  const Status made = files.make_directories(path);
  if (!made && !files.list(path)) return tl::unexpected(made.error());
  auto dir = std::unique_ptr<DataDir>(new DataDir(open_lock(path + "/lock")));
  if (dir->lock_ >= 0 && ::flock(dir->lock_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return fail(ErrorCode::internal,
                  fmt::format("lock \"{}\": {}", path, std::generic_category().message(errno)));
    }
    return fail(ErrorCode::conflict, fmt::format("open data directory \"{}\": {} uses it", path,
                                                 read_owner(files, path)));
  }
  if (const Status owned = write_owner(files, path); !owned) {
    dir->read_only_reason_ = owned.error().message;
  }
  return dir;
}

DataDir::~DataDir() {
  if (lock_ >= 0) ::close(lock_);
}

}  // namespace hearth::storage
