#include "objstore/local_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <string_view>
#include <utility>

#include "base/hash.h"
#include "base/log.h"
#include "objstore/object_key.h"

namespace hearth::objstore {
namespace {

/// No put takes that long.
constexpr int64_t kTemporaryAge = 600'000'000'000;
// No key contains this byte, so a temporary is never taken for an object.
constexpr char kTemporaryMark = '~';

bool is_temporary(std::string_view name) {
  return !name.empty() && name.front() == kTemporaryMark;
}

std::string directory_of(const std::string& path) {
  return path.substr(0, path.find_last_of('/'));
}

class MappedObject final : public ObjectReader {
 public:
  MappedObject(std::shared_ptr<const RandomAccessFile> file, std::string key)
      : file_(std::move(file)), key_(std::move(key)) {}

  uint64_t size() const override { return file_->size(); }

  Result<SharedBytes> read(uint64_t offset, uint64_t length) const override {
    if (offset > size() || length > size() - offset) {
      return fail(ErrorCode::data_loss, fmt::format("read object {}: range {}+{} of {} bytes", key_,
                                                    offset, length, size()));
    }
    return SharedBytes{file_, file_->data().substr(offset, length)};
  }

 private:
  std::shared_ptr<const RandomAccessFile> file_;
  std::string key_;
};

class LocalStore final : public ObjectStore {
 public:
  LocalStore(FileSystem& files, std::string root) : files_(files), root_(std::move(root)) {}

  Status start();

  Result<PutOutcome> put_if_absent(const std::string& key, std::string_view data) override;
  Status put(const std::string& key, std::string_view data) override;
  Result<std::unique_ptr<ObjectReader>> open(const std::string& key) override;
  Result<std::vector<Entry>> list(const std::string& prefix, const std::string& start_after,
                                  size_t limit) override;
  Status remove(const std::string& key) override;

 private:
  struct Walk {
    const std::string& prefix;
    const std::string& start_after;
    size_t limit;
    std::vector<Entry> found;
  };

  std::string path_of(const std::string& key) const { return root_ + "/" + key; }
  std::string temporary_in(const std::string& directory);
  Result<std::string> write_temporary(const std::string& directory, std::string_view data);
  Result<PutOutcome> commit_absent(const std::string& temporary, const std::string& path);
  Result<PutOutcome> rename_absent(const std::string& temporary, const std::string& path);
  bool is_old(const std::string& path) const;
  Status settle(const std::string& directory);
  Status probe_links();
  Status walk(const std::string& directory_key, Walk& walk);
  Status add_entry(const std::string& key, Walk& walk);

  FileSystem& files_;
  const std::string root_;
  std::atomic<uint64_t> next_temporary_ = 0;
  int64_t now_ns_ = 0;  ///< By the directory's clock, at the start.
  bool has_links_ = true;
  std::mutex rename_mutex_;
};

std::string LocalStore::temporary_in(const std::string& directory) {
  return fmt::format("{}/{}{:016x}-{}", directory, kTemporaryMark, process_hash_seed(),
                     next_temporary_.fetch_add(1));
}

// Writes and syncs; on failure nothing is left behind.
Result<std::string> LocalStore::write_temporary(const std::string& directory,
                                                std::string_view data) {
  std::string path = temporary_in(directory);
  HEARTH_ASSIGN_OR_RETURN(auto file, files_.create(path));
  Status written = file->append(data);
  if (written) written = file->sync();
  if (!written) {
    (void)files_.remove(path);
    return tl::unexpected(std::move(written).error());
  }
  return path;
}

// Without hard links: exclusive only within this process.
Result<ObjectStore::PutOutcome> LocalStore::rename_absent(const std::string& temporary,
                                                          const std::string& path) {
  const std::lock_guard lock(rename_mutex_);
  if (files_.stat(path)) {
    HEARTH_RETURN_IF_ERROR(files_.remove(temporary));
    return PutOutcome::exists;
  }
  HEARTH_RETURN_IF_ERROR(files_.rename(temporary, path));
  return PutOutcome::created;
}

Result<ObjectStore::PutOutcome> LocalStore::commit_absent(const std::string& temporary,
                                                          const std::string& path) {
  if (!has_links_) return rename_absent(temporary, path);
  const Status linked = files_.link(temporary, path);
  if (!linked && linked.error().code != ErrorCode::conflict) {
    (void)files_.remove(temporary);
    return tl::unexpected(linked.error());
  }
  // A temporary that stays is removed at the next start; the object is complete without that.
  (void)files_.remove(temporary);
  return linked ? PutOutcome::created : PutOutcome::exists;
}

Result<ObjectStore::PutOutcome> LocalStore::put_if_absent(const std::string& key,
                                                          std::string_view data) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  const std::string path = path_of(key);
  const std::string directory = directory_of(path);
  HEARTH_RETURN_IF_ERROR(files_.make_directories(directory));
  HEARTH_ASSIGN_OR_RETURN(const std::string temporary, write_temporary(directory, data));
  HEARTH_ASSIGN_OR_RETURN(const PutOutcome outcome, commit_absent(temporary, path));
  // Also for `exists`: the other creator may not have come to its own sync.
  HEARTH_RETURN_IF_ERROR(files_.sync_directory(directory));
  return outcome;
}

Status LocalStore::put(const std::string& key, std::string_view data) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  const std::string path = path_of(key);
  const std::string directory = directory_of(path);
  HEARTH_RETURN_IF_ERROR(files_.make_directories(directory));
  HEARTH_ASSIGN_OR_RETURN(const std::string temporary, write_temporary(directory, data));
  if (Status renamed = files_.rename(temporary, path); !renamed) {
    (void)files_.remove(temporary);
    return renamed;
  }
  return files_.sync_directory(directory);
}

Result<std::unique_ptr<ObjectReader>> LocalStore::open(const std::string& key) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  auto file = files_.open(path_of(key));
  if (!file) {
    // A directory is only the prefix of keys, not an object.
    const ErrorCode code = file.error().code;
    if (code == ErrorCode::not_found || code == ErrorCode::invalid_argument) {
      return std::unique_ptr<ObjectReader>();
    }
    return tl::unexpected(std::move(file).error());
  }
  return std::make_unique<MappedObject>(std::move(*file), key);
}

Status LocalStore::remove(const std::string& key) {
  HEARTH_RETURN_IF_ERROR(check_key(key));
  const std::string path = path_of(key);
  const Status removed = files_.remove(path);
  if (!removed && removed.error().code == ErrorCode::not_found) return {};
  if (!removed) return removed;
  return files_.sync_directory(directory_of(path));
}

Result<std::vector<ObjectStore::Entry>> LocalStore::list(const std::string& prefix,
                                                         const std::string& start_after,
                                                         size_t limit) {
  Walk state{prefix, start_after, limit, {}};
  HEARTH_RETURN_IF_ERROR(walk("", state));
  return std::move(state.found);
}

// True when keys below `directory` (which ends with '/') can be in the answer.
bool may_hold(std::string_view directory, std::string_view prefix, std::string_view start_after) {
  if (!directory.starts_with(prefix) && !prefix.starts_with(directory)) return false;
  return start_after < directory || start_after.starts_with(directory);
}

Status LocalStore::add_entry(const std::string& key, Walk& walk) {
  if (!key.starts_with(walk.prefix) || key <= walk.start_after) return {};
  const auto stat = files_.stat(path_of(key));
  if (!stat) {
    // Removed since the directory was read.
    if (stat.error().code == ErrorCode::not_found) return {};
    return tl::unexpected(stat.error());
  }
  walk.found.push_back({key, stat->size, stat->modified_ns});
  return {};
}

// `directory_key` is "" or ends with '/'. Depth is bounded: a path has at most 1,024 bytes.
Status LocalStore::walk(const std::string& directory_key, Walk& state) {
  auto entries = files_.list(directory_key.empty()
                                 ? root_
                                 : root_ + "/" + directory_key.substr(0, directory_key.size() - 1));
  if (!entries) {
    if (entries.error().code == ErrorCode::not_found) return {};
    return tl::unexpected(std::move(entries).error());
  }
  std::vector<std::string> keys;
  for (const FileSystem::Entry& entry : *entries) {
    if (is_temporary(entry.name)) continue;
    keys.push_back(directory_key + entry.name + (entry.directory ? "/" : ""));
  }
  // Keys ascend only if a directory sorts by its name with the '/': "a.b" < "a/b" < "a0".
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    if (state.found.size() >= state.limit) break;
    if (key.back() != '/') {
      HEARTH_RETURN_IF_ERROR(add_entry(key, state));
    } else if (may_hold(key, state.prefix, state.start_after)) {
      HEARTH_RETURN_IF_ERROR(walk(key, state));
    }
  }
  return {};
}

// Another process may be writing it now. The age is by the directory's clock: the time of the file
// that was just written there for that.
bool LocalStore::is_old(const std::string& path) const {
  const auto file = files_.stat(path);
  return file && now_ns_ - file->modified_ns >= kTemporaryAge;
}

// Below `directory`: removes temporaries, and makes certain what a process left that died before it
// synced a directory. Its objects are there to be read, and what is built upon them, such as rows
// that are deleted, must not be more durable than they are.
Status LocalStore::settle(const std::string& directory) {
  HEARTH_ASSIGN_OR_RETURN(const auto entries, files_.list(directory));
  for (const FileSystem::Entry& entry : entries) {
    const std::string path = directory + "/" + entry.name;
    if (entry.directory) {
      HEARTH_RETURN_IF_ERROR(settle(path));
    } else if (is_temporary(entry.name) && is_old(path)) {
      HEARTH_RETURN_IF_ERROR(files_.remove(path));
    }
  }
  return files_.sync_directory(directory);
}

// The commit primitive must hold before anything is entrusted to it: a second link() must fail.
Status LocalStore::probe_links() {
  HEARTH_ASSIGN_OR_RETURN(const std::string source, write_temporary(root_, "probe"));
  if (const auto probe = files_.stat(source)) now_ns_ = probe->modified_ns;
  const std::string target = temporary_in(root_);
  const Status first = files_.link(source, target);
  const Status second = files_.link(source, target);
  has_links_ = first && !second && second.error().code == ErrorCode::conflict;
  if (!has_links_) {
    log::warn(
        "bucket directory has no exclusive hard links: only one process may use it",
        {{"directory", root_}, {"cause", first ? "link replaced a file" : first.error().message}});
  }
  if (first) HEARTH_RETURN_IF_ERROR(files_.remove(target));
  return files_.remove(source);
}

Status LocalStore::start() {
  Status writable = files_.make_directories(root_);
  // A parent that cannot be read is somebody else's, who made the directory.
  if (writable && root_.find_last_of('/') != 0) (void)files_.sync_directory(directory_of(root_));
  if (writable) writable = probe_links();
  if (writable) writable = settle(root_);
  if (writable) return {};
  const auto readable = files_.list(root_);
  const bool absent = !readable && readable.error().code == ErrorCode::not_found;
  if (!readable && !absent) return tl::unexpected(readable.error());
  log::warn("bucket directory cannot be written",
            {{"directory", root_}, {"cause", writable.error().message}});
  return {};
}

}  // namespace

Result<std::shared_ptr<ObjectStore>> open_local_store(FileSystem& files, const std::string& root) {
  auto store = std::make_shared<LocalStore>(files, root);
  HEARTH_RETURN_IF_ERROR(store->start());
  return store;
}

std::shared_ptr<ObjectStore> view_local_store(FileSystem& files, const std::string& root) {
  return std::make_shared<LocalStore>(files, root);
}

}  // namespace hearth::objstore
