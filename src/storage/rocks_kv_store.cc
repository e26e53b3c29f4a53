// The one file that sees RocksDB.
#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/wal_filter.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "base/log.h"
#include "storage/kv_store.h"

namespace hearth::storage {
namespace {

constexpr size_t kHeadWriteBuffer = size_t{64} << 20;  // Twice the least seal size: rows die in it.
constexpr size_t kSmallWriteBuffer = size_t{4} << 20;
constexpr size_t kBlockCache = size_t{4} << 20;
constexpr size_t kWalMax = size_t{64} << 20;  // Bounds the replay.
constexpr size_t kRowKeyPrefix = 25;          // Of a row's key: all but the sequence number.
constexpr int kOpenFilesMax = 128;
constexpr int kWarningsMax = 100;

tl::unexpected<Error> rocks_error(std::string_view attempt, const rocksdb::Status& status) {
  ErrorCode code = ErrorCode::internal;
  std::string reason;
  if (status.IsNoSpace()) {
    code = ErrorCode::unavailable;
    reason = "no_space";
  } else if (status.IsCorruption()) {
    code = ErrorCode::data_loss;
  }
  return fail(code, fmt::format("{}: {}", attempt, status.ToString()), std::move(reason));
}

rocksdb::Slice slice(std::string_view s) {
  return {s.data(), s.size()};
}
std::string_view view(const rocksdb::Slice& s) {
  return {s.data(), s.size()};
}

/// RocksDB's own log: warnings go to ours, up to a bound; what recovery drops is added up.
class RocksLog final : public rocksdb::Logger {
 public:
  RocksLog() : Logger(rocksdb::WARN_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list args) override { write(format, args); }
  void Logv(const rocksdb::InfoLogLevel level, const char* format, va_list args) override {
    if (level >= rocksdb::WARN_LEVEL && level != rocksdb::HEADER_LEVEL) write(format, args);
  }
  [[nodiscard]] uint64_t dropped_bytes() const { return dropped_bytes_; }

 private:
  __attribute__((format(printf, 2, 0))) void write(const char* format, va_list args) {
    std::array<char, 1000> line{};
    (void)std::vsnprintf(line.data(), line.size(), format, args);
    if (const char* drop = std::strstr(line.data(), "dropping ")) {
      dropped_bytes_ += std::strtoull(drop + std::strlen("dropping "), nullptr, 10);
    }
    if (warnings_.fetch_add(1) < kWarningsMax) log::warn("rocksdb", {{"line", line.data()}});
  }

  std::atomic<uint64_t> dropped_bytes_ = 0;
  std::atomic<int> warnings_ = 0;
};

/// Sees each write that recovery gets back from the log, and counts the changes that are missing
/// between them. RocksDB numbers changes without a gap, over all families and files; it drops
/// some kinds of damage, such as a page of zeros, without a word.
class GapCounter final : public rocksdb::WalFilter {
 public:
  using WalFilter::LogRecordFound;
  WalProcessingOption LogRecordFound(unsigned long long /*log_number*/,
                                     const std::string& /*log_file_name*/,
                                     const rocksdb::WriteBatch& batch,
                                     rocksdb::WriteBatch* /*new_batch*/,
                                     bool* /*batch_changed*/) override {
    const std::string& bytes = batch.Data();
    // A write begins with the number of its first change, little-endian.
    if (bytes.size() < sizeof(uint64_t)) return WalProcessingOption::kContinueProcessing;
    const auto first = load_le<uint64_t>(bytes.data());
    if (next_ != 0) missing_up_to(first);
    next_ = std::max(next_, first + batch.Count());
    return WalProcessingOption::kContinueProcessing;
  }
  [[nodiscard]] const char* Name() const override { return "hearth.gap_counter"; }

  /// `last`: the last number that the database knows of. It is above the last write of the log when
  /// a table was written after writes that the log has lost.
  void end(uint64_t last) {
    if (next_ != 0) missing_up_to(last + 1);
  }
  [[nodiscard]] uint64_t missing() const { return missing_; }

 private:
  void missing_up_to(uint64_t first) {
    if (first > next_) missing_ += first - next_;
  }
  uint64_t next_ = 0;  // 0 before the first write.
  uint64_t missing_ = 0;
};

rocksdb::DBOptions db_options(std::shared_ptr<RocksLog> log, rocksdb::WalFilter* filter) {
  rocksdb::DBOptions options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.info_log = std::move(log);
  options.info_log_level = rocksdb::WARN_LEVEL;
  options.wal_filter = filter;
  // Records are independent, so the undamaged ones behind a damaged one are kept.
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  options.max_total_wal_size = kWalMax;
  options.recycle_log_file_num = 0;
  options.avoid_flush_during_recovery = true;
  options.avoid_flush_during_shutdown = true;
  options.max_open_files = kOpenFilesMax;
  options.max_file_opening_threads = 1;
  options.table_cache_numshardbits = 2;
  options.max_background_jobs = 2;
  options.max_manifest_file_size = 4 << 20;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.skip_checking_sst_file_sizes_on_db_open = true;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> families() {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(kBlockCache, 0);
  table.cache_index_and_filter_blocks = true;
  rocksdb::ColumnFamilyOptions small;
  small.compression = rocksdb::kNoCompression;
  small.write_buffer_size = kSmallWriteBuffer;
  small.arena_block_size = size_t{64} << 10;
  small.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  rocksdb::ColumnFamilyOptions head = small;
  head.write_buffer_size = kHeadWriteBuffer;
  head.arena_block_size = size_t{1} << 20;
  head.max_write_buffer_number = 4;
  // A row goes behind the last one of its epoch: where that was is remembered, so that neither a
  // write nor a start that reads the log searches for it.
  head.memtable_insert_with_hint_prefix_extractor.reset(
      rocksdb::NewFixedPrefixTransform(kRowKeyPrefix));
  // In the order of KvFamily. RocksDB insists on a default family; `meta` takes it.
  return {{"head", head}, {"catalog", small}, {rocksdb::kDefaultColumnFamilyName, small}};
}

// What a process that died had written and not synced is read back, answered and built upon, so it
// must be as certain as what is written from now on: a later power cut would take it away again.
rocksdb::Status sync_logs(rocksdb::Env& env, const std::string& path) {
  std::vector<std::string> names;
  if (!env.GetChildren(path, &names).ok()) return rocksdb::Status::OK();  // It is created later.
  for (const std::string& name : names) {
    if (!name.ends_with(".log")) continue;
    std::unique_ptr<rocksdb::WritableFile> log;
    rocksdb::Status status = env.ReopenWritableFile(path + "/" + name, &log, rocksdb::EnvOptions());
    if (status.ok()) status = log->Fsync();
    if (status.ok()) status = log->Close();
    if (!status.ok()) return status;
  }
  std::unique_ptr<rocksdb::Directory> directory;
  const rocksdb::Status opened = env.NewDirectory(path, &directory);
  return opened.ok() ? directory->Fsync() : opened;
}

class RocksKvStore final : public KvStore {
 public:
  explicit RocksKvStore(std::string path, rocksdb::Env* env = nullptr)
      : path_(std::move(path)), env_(env) {}
  ~RocksKvStore() override { (void)close(); }

  Status open(bool read_only);

  using KvStore::write;
  Status write(std::span<const KvBatch* const> batches, bool sync) override;
  Result<std::optional<std::string>> get(KvFamily family, std::string_view key) const override;
  Status scan(KvFamily family, std::string_view begin, std::string_view end,
              const Visit& visit) const override;
  Status flush_all(uint64_t log_bytes_min) override;
  LogDamage log_damage() const override { return damage_; }
  Status close() override;

 private:
  [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(KvFamily family) const {
    return handles_[static_cast<size_t>(family)];
  }
  const std::string path_;
  rocksdb::Env* const env_;
  std::shared_ptr<RocksLog> log_ = std::make_shared<RocksLog>();
  GapCounter gaps_;  // RocksDB keeps a pointer to it for as long as it is open.
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  std::atomic<uint64_t> logged_bytes_ = 0;  ///< Since the last flush of all families.
  bool read_only_ = false;
  LogDamage damage_;
};

Status RocksKvStore::open(bool read_only) {
  read_only_ = read_only;
  rocksdb::DBOptions options = db_options(log_, &gaps_);
  if (env_ != nullptr) options.env = env_;
  if (!read_only) {
    if (const rocksdb::Status synced = sync_logs(*options.env, path_); !synced.ok())
      return rocks_error(fmt::format("sync the logs of \"{}\"", path_), synced);
  }
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      read_only ? rocksdb::DB::OpenForReadOnly(options, path_, families(), &handles_, &db)
                : rocksdb::DB::Open(options, path_, families(), &handles_, &db);
  if (!status.ok()) return rocks_error(fmt::format("open RocksDB \"{}\"", path_), status);
  db_.reset(db);
  gaps_.end(db->GetLatestSequenceNumber());
  damage_ = {log_->dropped_bytes(), gaps_.missing()};
  return {};
}

Status RocksKvStore::write(std::span<const KvBatch* const> batches, bool sync) {
  if (read_only_) return fail(ErrorCode::unavailable, "write: the data directory is read-only");
  size_t bytes = 64;
  for (const KvBatch* batch : batches) bytes += batch->bytes();
  rocksdb::WriteBatch all(bytes);
  for (const KvBatch* batch : batches) {
    batch->for_each(
        [&](KvBatch::Op op, KvFamily family, std::string_view key, std::string_view value) {
          switch (op) {
            case KvBatch::Op::put:
              all.Put(handle(family), slice(key), slice(value));
              break;
            case KvBatch::Op::remove:
              all.Delete(handle(family), slice(key));
              break;
            case KvBatch::Op::remove_range:
              all.DeleteRange(handle(family), slice(key), slice(value));
              break;
          }
        });
  }
  rocksdb::WriteOptions options;
  options.sync = sync;
  if (const auto status = db_->Write(options, &all); !status.ok()) {
    return rocks_error(fmt::format("write {} bytes to RocksDB \"{}\"", bytes, path_), status);
  }
  logged_bytes_ += all.GetDataSize();
  return {};
}

Result<std::optional<std::string>> RocksKvStore::get(KvFamily family, std::string_view key) const {
  std::string value;
  const auto status = db_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return rocks_error(fmt::format("read from RocksDB \"{}\"", path_), status);
  return value;
}

Status RocksKvStore::scan(KvFamily family, std::string_view begin, std::string_view end,
                          const Visit& visit) const {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.readahead_size = 0;
  const rocksdb::Slice bound = slice(end);
  if (!end.empty()) options.iterate_upper_bound = &bound;
  const std::unique_ptr<rocksdb::Iterator> it(db_->NewIterator(options, handle(family)));
  for (it->Seek(slice(begin)); it->Valid(); it->Next()) {
    if (!visit(view(it->key()), view(it->value()))) return {};
  }
  if (!it->status().ok())
    return rocks_error(fmt::format("scan RocksDB \"{}\"", path_), it->status());
  return {};
}

// One unflushed record of any family pins the log, hence all of them (measured).
Status RocksKvStore::flush_all(uint64_t log_bytes_min) {
  if (logged_bytes_ < log_bytes_min) return {};
  logged_bytes_ = 0;
  rocksdb::FlushOptions options;
  options.wait = false;
  options.allow_write_stall = true;
  if (const auto status = db_->Flush(options, handles_); !status.ok()) {
    return rocks_error(fmt::format("flush RocksDB \"{}\"", path_), status);
  }
  return {};
}

Status RocksKvStore::close() {
  if (!db_) return {};
  for (rocksdb::ColumnFamilyHandle* handle : handles_) (void)db_->DestroyColumnFamilyHandle(handle);
  handles_.clear();
  const auto status = db_->Close();
  db_.reset();
  if (!status.ok()) return rocks_error(fmt::format("close RocksDB \"{}\"", path_), status);
  return {};
}

/// Hard links to the log files, taken before recovery rewrites them and kept only if it dropped
/// something: the damaged bytes stay for a look by hand.
class LogsAside {
 public:
  LogsAside(FileSystem& files, const std::string& path) : files_(files), aside_(path + "-corrupt") {
    const auto entries = files_.list(path);
    if (!entries) return;
    for (const auto& entry : *entries) {
      if (!entry.directory && entry.name.ends_with(".log")) link_aside(path, entry.name);
    }
  }
  void keep() {
    log::warn("damaged log files were kept", {{"directory", aside_}, {"files", linked_.size()}});
  }
  void drop() {
    for (const std::string& path : linked_) (void)files_.remove(path);
  }

 private:
  void link_aside(const std::string& directory, const std::string& name) {
    const std::string from = directory + "/" + name;
    const auto stat = files_.stat(from);
    if (!stat || stat->size == 0 || !files_.make_directories(aside_)) return;
    const std::string to = aside_ + "/" + name;
    // A link of the same name is left of a start that was killed.
    (void)files_.remove(to);
    if (files_.link(from, to)) linked_.push_back(to);
  }

  FileSystem& files_;
  const std::string aside_;
  std::vector<std::string> linked_;
};

}  // namespace

Result<std::unique_ptr<KvStore>> open_rocks_kv_store(FileSystem& files, const std::string& path,
                                                     rocksdb::Env* env) {
  HEARTH_RETURN_IF_ERROR(files.make_directories(path));
  // A process that died may have made it and not have come to this.
  HEARTH_RETURN_IF_ERROR(files.sync_directory(path.substr(0, path.find_last_of('/'))));
  LogsAside aside(files, path);
  auto store = std::make_unique<RocksKvStore>(path, env);
  if (Status opened = store->open(false); !opened) {
    aside.drop();
    return tl::unexpected(std::move(opened).error());
  }
  store->log_damage().any() ? aside.keep() : aside.drop();
  return store;
}

Result<std::unique_ptr<KvStore>> open_rocks_kv_store_read_only(const std::string& path) {
  auto store = std::make_unique<RocksKvStore>(path);
  HEARTH_RETURN_IF_ERROR(store->open(true));
  return store;
}

}  // namespace hearth::storage
