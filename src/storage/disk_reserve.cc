#include "storage/disk_reserve.h"

#include <algorithm>

#include "base/log.h"

namespace hearth::storage {
namespace {

constexpr uint64_t kLowBytesMax = uint64_t{2} << 30U;
// Space has ended: a seal and what RocksDB flushes beside it may not fit.
constexpr uint64_t kEndBytesMax = uint64_t{64} << 20U;

uint64_t low_bytes(const FileSystem::Space& space) {
  return std::min(space.total_bytes / 10, kLowBytesMax);
}

bool has_ended(const FileSystem::Space& space) {
  return space.free_bytes < std::min(kEndBytesMax, low_bytes(space) / 4);
}

std::string path_in(const std::string& directory) {
  return directory + "/reserve";
}

}  // namespace

DiskReserve::DiskReserve(FileSystem& files, std::string directory, uint64_t max_bytes)
    : files_(files), directory_(std::move(directory)), max_bytes_(max_bytes) {
  held_ = max_bytes_ > 0 && files_.stat(path_in(directory_)).has_value();
}

bool DiskReserve::give_up(FileSystem& files, const std::string& directory) {
  if (!files.remove(path_in(directory))) return false;
  log::warn("disk space has ended: the reserve is given up", {{"directory", directory}});
  return true;
}

void DiskReserve::make_room(FileSystem& files, const std::string& directory) {
  const auto space = files.space(directory);
  if (space && has_ended(*space)) (void)give_up(files, directory);
}

void DiskReserve::check() {
  const auto space = measure();
  if (space && max_bytes_ > 0) keep(*space);
}

std::optional<FileSystem::Space> DiskReserve::measure() {
  const auto space = files_.space(directory_);
  if (!space) return std::nullopt;
  free_bytes_ = space->free_bytes;
  const uint64_t limit = low_bytes(*space);
  low_ = free_bytes_ < (low_ ? limit + limit / 2 : limit);
  return *space;
}

void DiskReserve::keep(const FileSystem::Space& space) {
  if (held_) {
    // Not before the space ends, and once: appends were refused at the low mark already.
    if (has_ended(space) && give_up(files_, directory_)) held_ = false;
    return;
  }
  const uint64_t bytes = std::min(max_bytes_, space.total_bytes / 20);
  const uint64_t enough = low_bytes(space) + low_bytes(space) / 2;
  if (refused_ || low_ || bytes == 0 || space.free_bytes < bytes + enough) return;
  held_ = take(bytes).has_value();
}

// Only space is held back, not data: a crash may leave less of it, and nothing reads it. So nothing
// is synced.
Status DiskReserve::take(uint64_t bytes) {
  HEARTH_ASSIGN_OR_RETURN(auto file, files_.create(path_in(directory_)));
  if (Status allocated = file->allocate(bytes); !allocated) {
    (void)files_.remove(path_in(directory_));
    refused_ = allocated.error().code != ErrorCode::unavailable;
    log::info("no disk space is held in reserve", {{"cause", allocated.error().message}});
    return allocated;
  }
  return {};
}

}  // namespace hearth::storage
