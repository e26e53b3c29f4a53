#include "support/power_cut_disk.h"

#include <fmt/format.h>

#include <algorithm>

namespace hearth::test {
namespace {

constexpr size_t kPage = 4096;
constexpr uint64_t kSpace = uint64_t{1} << 40U;

std::string directory_of(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

class Loaded final : public RandomAccessFile {
 public:
  explicit Loaded(std::string data) : data_(std::move(data)) {}
  uint64_t size() const override { return data_.size(); }
  std::string_view data() const override { return data_; }

 private:
  const std::string data_;
};

}  // namespace

class PowerCutDisk::File final : public WritableFile {
 public:
  File(PowerCutDisk& disk, InodePtr inode, std::string path)
      : disk_(disk), inode_(std::move(inode)), path_(std::move(path)), life_(disk.life_) {}
  Status append(std::string_view data) override {
    const std::lock_guard lock(disk_.mutex_);
    HEARTH_RETURN_IF_ERROR(begin("write"));
    inode_->data += data;
    return {};
  }
  Status sync() override {
    const std::lock_guard lock(disk_.mutex_);
    HEARTH_RETURN_IF_ERROR(begin("sync"));
    inode_->synced = inode_->data.size();
    return {};
  }
  /// Also cuts off.
  Status allocate(uint64_t bytes) override {
    const std::lock_guard lock(disk_.mutex_);
    HEARTH_RETURN_IF_ERROR(begin("allocate"));
    inode_->data.resize(bytes);
    inode_->synced = std::min<size_t>(inode_->synced, bytes);
    return {};
  }

 private:
  Status begin(std::string_view what) {
    if (life_ != disk_.life_)
      return fail(ErrorCode::internal, fmt::format("{} \"{}\": of another life", what, path_));
    return disk_.begin_change(what, path_);
  }
  PowerCutDisk& disk_;
  const InodePtr inode_;
  const std::string path_;
  const uint64_t life_;
};

Result<std::string> PowerCutDisk::Reading::read(uint64_t offset, size_t n) const {
  const std::lock_guard lock(disk_.mutex_);
  HEARTH_RETURN_IF_ERROR(disk_.check("read", "a file"));
  if (life_ != disk_.life_) return fail(ErrorCode::internal, "read: of another life");
  return inode_->data.substr(std::min<size_t>(offset, inode_->data.size()), n);
}

uint64_t PowerCutDisk::Reading::size() const {
  const std::lock_guard lock(disk_.mutex_);
  return inode_->data.size();
}

Status PowerCutDisk::check(std::string_view what, const std::string& path) const {
  if (off_) return fail(ErrorCode::internal, fmt::format("{} \"{}\": no power", what, path));
  return {};
}

Status PowerCutDisk::begin_change(std::string_view what, const std::string& path) {
  if (armed_ && calls_left_ == 0) off_ = true;
  HEARTH_RETURN_IF_ERROR(check(what, path));
  if (armed_) --calls_left_;
  ++changes_;
  return {};
}

Result<PowerCutDisk::InodePtr> PowerCutDisk::find(std::string_view what,
                                                  const std::string& path) const {
  const auto it = live_.find(path);
  if (it == live_.end())
    return fail(ErrorCode::not_found, fmt::format("{} \"{}\": no such file", what, path));
  if (!it->second)
    return fail(ErrorCode::invalid_argument, fmt::format("{} \"{}\": a directory", what, path));
  return it->second;
}

void PowerCutDisk::apply(const Change& change, Names& names) {
  if (!change.removed.empty()) names.erase(change.removed);
  if (!change.added.empty()) names.insert_or_assign(change.added, change.inode);
}

void PowerCutDisk::change(Change change) {
  apply(change, live_);
  pending_.push_back(std::move(change));
}

Result<std::unique_ptr<WritableFile>> PowerCutDisk::create(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("create", path));
  if (!live_.contains(directory_of(path)))
    return fail(ErrorCode::not_found, fmt::format("create \"{}\": no such directory", path));
  // An old file of that name keeps its bytes until the new one's name is durable.
  auto inode = std::make_shared<Inode>();
  change({directory_of(path), "", path, inode});
  return std::make_unique<File>(*this, std::move(inode), path);
}

Result<std::unique_ptr<WritableFile>> PowerCutDisk::reopen(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("reopen", path));
  HEARTH_ASSIGN_OR_RETURN(InodePtr inode, find("reopen", path));
  return std::make_unique<File>(*this, std::move(inode), path);
}

Result<std::unique_ptr<RandomAccessFile>> PowerCutDisk::open(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(check("open", path));
  HEARTH_ASSIGN_OR_RETURN(const InodePtr inode, find("open", path));
  return std::make_unique<Loaded>(inode->data);
}

Result<std::shared_ptr<PowerCutDisk::Reading>> PowerCutDisk::read_from(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(check("open", path));
  HEARTH_ASSIGN_OR_RETURN(InodePtr inode, find("open", path));
  return std::make_shared<Reading>(*this, std::move(inode), life_);
}

Status PowerCutDisk::link(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("link", to));
  HEARTH_ASSIGN_OR_RETURN(InodePtr inode, find("link", from));
  if (live_.contains(to))
    return fail(ErrorCode::conflict, fmt::format("link \"{}\": it exists", to));
  change({directory_of(to), "", to, std::move(inode)});
  return {};
}

Status PowerCutDisk::rename(const std::string& from, const std::string& to) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("rename", to));
  HEARTH_ASSIGN_OR_RETURN(InodePtr inode, find("rename", from));
  change({directory_of(to), from, to, std::move(inode)});
  return {};
}

Status PowerCutDisk::remove(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("remove", path));
  HEARTH_RETURN_IF_ERROR(find("remove", path));
  change({directory_of(path), path, "", nullptr});
  return {};
}

Status PowerCutDisk::make_one(const std::string& path) {
  HEARTH_RETURN_IF_ERROR(begin_change("create directory", path));
  change({directory_of(path), "", path, nullptr});
  return {};
}

Status PowerCutDisk::make_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (live_.contains(path))
    return fail(ErrorCode::conflict, fmt::format("create directory \"{}\": it exists", path));
  return make_one(path);
}

// As the real one: each parent that it changes is synced.
Status PowerCutDisk::make_directories(const std::string& path) {
  {
    const std::lock_guard lock(mutex_);
    HEARTH_RETURN_IF_ERROR(check("create directory", path));
    if (path == "/" || live_.contains(path)) return {};
  }
  HEARTH_RETURN_IF_ERROR(make_directories(directory_of(path)));
  {
    const std::lock_guard lock(mutex_);
    HEARTH_RETURN_IF_ERROR(make_one(path));
  }
  return sync_directory(directory_of(path));
}

Status PowerCutDisk::remove_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("remove directory", path));
  change({directory_of(path), path, "", nullptr});
  return {};
}

bool PowerCutDisk::is_directory(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto it = live_.find(path);
  return path == "/" || (it != live_.end() && !it->second);
}

Status PowerCutDisk::sync_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(begin_change("sync directory", path));
  std::erase_if(pending_, [&](const Change& change) {
    if (change.directory != path) return false;
    apply(change, durable_);
    return true;
  });
  return {};
}

Result<std::vector<FileSystem::Entry>> PowerCutDisk::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(check("list", path));
  if (path != "/" && !live_.contains(path))
    return fail(ErrorCode::not_found, fmt::format("list \"{}\": no such directory", path));
  std::vector<Entry> out;
  const std::string prefix = path == "/" ? path : path + "/";
  for (auto it = live_.lower_bound(prefix); it != live_.end() && it->first.starts_with(prefix);
       ++it) {
    const std::string name = it->first.substr(prefix.size());
    if (name.find('/') == std::string::npos) out.push_back({name, it->second == nullptr});
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<FileSystem::Stat> PowerCutDisk::stat(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(check("stat", path));
  const auto it = live_.find(path);
  if (it == live_.end())
    return fail(ErrorCode::not_found, fmt::format("stat \"{}\": no such file", path));
  return Stat{it->second ? it->second->data.size() : 0, 0};
}

Result<FileSystem::Space> PowerCutDisk::space(const std::string& path) {
  const std::lock_guard lock(mutex_);
  HEARTH_RETURN_IF_ERROR(check("space", path));
  return Space{kSpace / 2, kSpace};
}

void PowerCutDisk::lose_tail(Inode& inode, Survives survives, Dice& dice) {
  if (survives == Survives::nothing) inode.data.resize(inode.synced);
  if (survives == Survives::some) {
    const size_t unsynced = inode.data.size() - inode.synced;
    inode.data.resize(inode.synced + dice.below(unsynced + 1));
    const bool holes = dice.percent(30);
    for (size_t at = inode.synced; holes && at < inode.data.size();) {
      const size_t end = std::min(inode.data.size(), (at / kPage + 1) * kPage);
      if (dice.percent(50))
        std::fill(inode.data.begin() + static_cast<ptrdiff_t>(at),
                  inode.data.begin() + static_cast<ptrdiff_t>(end), '\0');
      at = end;
    }
  }
  inode.synced = inode.data.size();
}

void PowerCutDisk::restart() {
  const std::lock_guard lock(mutex_);
  ++life_;
  armed_ = off_ = false;
}

void PowerCutDisk::restore(Survives survives, Dice& dice) {
  const std::lock_guard lock(mutex_);
  size_t kept = survives == Survives::all ? pending_.size() : 0;
  if (survives == Survives::some) kept = dice.below(pending_.size() + 1);
  for (size_t i = 0; i < kept; ++i) apply(pending_[i], durable_);
  pending_.clear();
  // A directory that did not survive takes along what was in it.
  std::erase_if(durable_, [&](const auto& name) {
    for (std::string up = directory_of(name.first); up != "/"; up = directory_of(up)) {
      if (!durable_.contains(up)) return true;
    }
    return false;
  });
  live_ = durable_;
  std::set<Inode*> seen;
  for (const auto& [path, inode] : live_) {
    if (inode && seen.insert(inode.get()).second) lose_tail(*inode, survives, dice);
  }
  ++life_;
  armed_ = off_ = false;
}

}  // namespace hearth::test
