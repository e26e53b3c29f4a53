// RocksDB as a cache of pages.
#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>

#include "base/log.h"
#include "storage/page_store.h"

namespace hearth::storage {
namespace {

constexpr size_t kWriteBuffer = size_t{16} << 20;
constexpr double kBloomBitsPerKey = 10;

rocksdb::Options options_of(uint64_t bytes_max) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compaction_style = rocksdb::kCompactionStyleFIFO;
  options.compaction_options_fifo.max_table_files_size = bytes_max;
  options.compaction_options_fifo.allow_compaction = false;
  // Files would go after 30 days, however little they take.
  options.ttl = 0;
  options.periodic_compaction_seconds = 0;
  // FIFO keeps all files in level 0: with the default of 4, eight of them count as a compaction
  // that lags behind, and every insertion would be refused for good.
  options.level0_file_num_compaction_trigger = 10'000;
  options.level0_slowdown_writes_trigger = 20'000;
  options.level0_stop_writes_trigger = 30'000;
  options.write_buffer_size = kWriteBuffer;
  options.compression = rocksdb::kNoCompression;
  options.max_open_files = 64;
  options.keep_log_file_num = 1;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.info_log_level = rocksdb::FATAL_LEVEL;
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey));
  // A page is larger than a block of RocksDB and checked by its reader: keeping it in memory a
  // second time would be of no use.
  table.no_block_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

class RocksPageStore final : public PageStore {
 public:
  explicit RocksPageStore(std::unique_ptr<rocksdb::DB> db) : db_(std::move(db)) {}

  std::optional<std::string> get(std::string_view key) const override {
    std::string value;
    const auto status =
        db_->Get(rocksdb::ReadOptions(), rocksdb::Slice(key.data(), key.size()), &value);
    if (!status.ok()) return std::nullopt;
    return value;
  }
  void put(std::string_view key, std::string_view value) override {
    rocksdb::WriteOptions options;
    options.disableWAL = true;
    options.low_pri = true;
    options.no_slowdown = true;
    (void)db_->Put(options, rocksdb::Slice(key.data(), key.size()),
                   rocksdb::Slice(value.data(), value.size()));
  }
  uint64_t bytes() const override {
    uint64_t bytes = 0;
    (void)db_->GetIntProperty(rocksdb::DB::Properties::kTotalSstFilesSize, &bytes);
    return bytes;
  }

 private:
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

Result<std::unique_ptr<PageStore>> open_rocks_page_store(const std::string& path,
                                                         uint64_t bytes_max) {
  const rocksdb::Options options = options_of(bytes_max);
  rocksdb::DB* db = nullptr;
  rocksdb::Status status = rocksdb::DB::Open(options, path, &db);
  if (!status.ok()) {
    log::warn("the block cache cannot be opened; starting with an empty one",
              {{"path", path}, {"error", status.ToString()}});
    (void)rocksdb::DestroyDB(path, options);
    status = rocksdb::DB::Open(options, path, &db);
  }
  if (!status.ok()) {
    return fail(ErrorCode::unavailable,
                fmt::format("open block cache \"{}\": {}", path, status.ToString()));
  }
  return std::make_unique<RocksPageStore>(std::unique_ptr<rocksdb::DB>(db));
}

}  // namespace hearth::storage
