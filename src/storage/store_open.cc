#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "base/bytes.h"
#include "base/fault_point.h"
#include "base/hash.h"
#include "base/log.h"
#include "storage/compaction_options.h"
#include "storage/keys.h"
#include "storage/store_impl.h"

namespace hearth::storage {
namespace {

constexpr size_t kSegmentReadersKept = 1024;
constexpr int kStorageFailedExit = 70;  // EX_SOFTWARE; the supervisor restarts, which recovers.
constexpr auto kAnswerTime = std::chrono::milliseconds(200);

// After a failed sync nothing that this process believes about the disk can be trusted.
void stop_process(const Error& error) {
  log::error("storage failed, stopping", {{"error", error.message}});
  std::this_thread::sleep_for(kAnswerTime);
  std::_Exit(kStorageFailedExit);
}

Result<std::unique_ptr<KvStore>> open_kv(const Store::Options& options, std::string& query_only) {
  const std::string path = options.data_dir + "/db";
  if (query_only.empty()) {
    auto kv = open_rocks_kv_store(*options.files, path);
    const auto no_space = [&kv] { return !kv && kv.error().reason == "no_space"; };
    if (no_space() && DiskReserve::give_up(*options.files, options.data_dir)) {
      kv = open_rocks_kv_store(*options.files, path);
    }
    if (!no_space()) return kv;
    query_only = kv.error().message;
  }
  return open_rocks_kv_store_read_only(path);
}

// The greatest start count in keys of one kind, `prefix` and then a number with the count in its
// upper half. Visits one key per start.
Result<uint32_t> last_start_of(const KvStore& kv, char prefix) {
  const std::string end = prefix_end(std::string_view(&prefix, 1));
  uint32_t last = 0;
  std::string begin(1, prefix);
  for (bool found = true; found && last < UINT32_MAX;) {
    found = false;
    const Status scanned = kv.scan(KvFamily::head, begin, end, [&](std::string_view key, auto) {
      if (key.size() < 1 + sizeof(uint64_t)) {
        begin.assign(key).push_back('\0');
      } else {
        last = load_be<uint32_t>(key.data() + 1);
        begin.assign(1, prefix);
        put_be(begin, last + 1);
      }
      found = true;
      return false;
    });
    // A damaged table hides the keys behind the damage; that the head is damaged is told where
    // its rows are read.
    if (!scanned && scanned.error().code != ErrorCode::data_loss) {
      return tl::unexpected(scanned.error());
    }
  }
  return last;
}

// The last number that a start was given. The counter alone does not do: a damaged log may have
// lost its last value but not what that life wrote, and a seal deletes whole ranges of
// generations.
Result<uint32_t> last_start(const KvStore& kv) {
  HEARTH_ASSIGN_OR_RETURN(const auto counter, kv.get(KvFamily::meta, kStartCountKey));
  uint32_t last =
      counter && counter->size() == sizeof(uint32_t) ? load_le<uint32_t>(counter->data()) : 0;
  for (const char prefix : {'R', 'D', 'I'}) {
    HEARTH_ASSIGN_OR_RETURN(const uint32_t seen, last_start_of(kv, prefix));
    if (seen > last)
      log::warn("the count of starts was lost with a damaged log", {{"count", seen}});
    last = std::max(last, seen);
  }
  return last;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(Options options) {
  HEARTH_ASSIGN_OR_RETURN(auto data_dir, DataDir::acquire(*options.files, options.data_dir));
  std::string query_only = data_dir->read_only_reason();
  HEARTH_KILL_POINT("open.before_kv");
  HEARTH_ASSIGN_OR_RETURN(auto kv, open_kv(options, query_only));
  HEARTH_KILL_POINT("open.after_kv");
  if (!query_only.empty()) log::warn("query-only: cannot write", {{"cause", query_only}});
  auto store = std::make_unique<StoreImpl>(std::move(options), std::move(kv), std::move(query_only),
                                           StoreHooks{});
  store->hold(std::move(data_dir));
  HEARTH_RETURN_IF_ERROR(store->recover());
  return store;
}

Result<std::unique_ptr<Store>> open_store(Store::Options options, std::unique_ptr<KvStore> kv,
                                          std::string query_only_reason, StoreHooks hooks) {
  auto store = std::make_unique<StoreImpl>(std::move(options), std::move(kv),
                                           std::move(query_only_reason), std::move(hooks));
  HEARTH_RETURN_IF_ERROR(store->recover());
  return store;
}

StoreImpl::StoreImpl(Options options, std::unique_ptr<KvStore> kv, std::string query_only_reason,
                     StoreHooks hooks)
    : options_(std::move(options)),
      seed_(process_hash_seed()),
      dictionaries_(std::make_shared<MemoryAccountant>(options_.dictionary_max_bytes)),
      query_only_reason_(std::move(query_only_reason)),
      looks_(options_.shared || !query_only_reason_.empty()),
      fail_stop_(hooks.fail_stop ? std::move(hooks.fail_stop) : stop_process),
      kv_(std::move(kv)),
      disk_(*options_.files, options_.data_dir, options_.reserve_bytes),
      queue_(*kv_, options_.commits != nullptr ? *options_.commits : inline_executor(), fail_stop_),
      tenants_(NameKind::tenant, queue_, *options_.memory),
      services_(NameKind::service, queue_, *options_.memory),
      readers_(*options_.bucket, kSegmentReadersKept, options_.remote),
      deletions_({options_.bucket.get(), options_.random, options_.clock,
                  [this](const KvBatch& batch) { return keep(batch); }, query_only_reason_}),
      retries_(options_.retry_window_ns, options_.clock->boot_ns(), seed_, *options_.memory) {}

StoreImpl::~StoreImpl() {
  queue_.drain();
  if (const Status closed = kv_->close(); !closed) {
    log::warn("close", {{"error", closed.error().message}});
  }
}

/// Epochs of earlier lives that still have rows, by number.
struct StoreImpl::RecoveredEpochs {
  std::map<uint64_t, std::shared_ptr<Epoch>> by_number;
};

Status StoreImpl::recover() {
  const int64_t begin_ns = options_.clock->boot_ns();
  (void)disk_.measure();
  disk_low_ = disk_.low();
  HEARTH_ASSIGN_OR_RETURN(const uint32_t earlier, last_start(*kv_));
  start_count_ = earlier + 1;
  // Numbers of this life are greater than all of earlier ones without a look at what those left.
  next_epoch_ = uint64_t{start_count_} << 32U;
  generation_ = uint64_t{start_count_} << 32U;
  contents_ = std::make_unique<Contents>(generation_);

  HEARTH_RETURN_IF_ERROR(tenants_.load(*kv_));
  HEARTH_RETURN_IF_ERROR(services_.load(*kv_));
  HEARTH_RETURN_IF_ERROR(retries_.load(*kv_));
  if (const LogDamage damage = kv_->log_damage(); damage.any()) {
    log::error("the log is damaged: acknowledged profiles may be lost",
               {{"lost_changes", damage.changes}, {"unreadable_bytes", damage.bytes}});
  }
  HEARTH_RETURN_IF_ERROR(recover_intents());
  RecoveredEpochs epochs;
  HEARTH_RETURN_IF_ERROR(recover_rows(epochs));
  HEARTH_RETURN_IF_ERROR(recover_catalog());
  HEARTH_RETURN_IF_ERROR(recover_deletions());
  if (query_only_reason_.empty()) HEARTH_RETURN_IF_ERROR(record_start(epochs));
  HEARTH_KILL_POINT("open.after_recovery");
  const Contents::Totals totals = contents_->totals();
  log::info("recovered", {{"start", start_count_},
                          {"unsealed_profiles", totals.head_profiles},
                          {"unsealed_bytes", totals.head_bytes},
                          {"dictionaries", epochs.by_number.size()},
                          {"pending_seals", pending_seals_.size()},
                          {"segments", totals.segments},
                          {"ms", (options_.clock->boot_ns() - begin_ns) / 1'000'000}});
  return {};
}

Status StoreImpl::recover_intents() {
  return kv_->scan(
      KvFamily::head, kIntentPrefix, prefix_end(kIntentPrefix),
      [&](std::string_view key, std::string_view value) {
        ByteReader in(value);
        const uint8_t format = in.u8();
        const std::string_view uuid = in.bytes(16);
        const uint64_t last = in.u64();
        const std::string_view object_key = in.bytes(in.left());
        if (!in.ok() || format != 1 || key.size() != 9) {
          // Without its intent the generation is cut anew; a segment that had been uploaded for it
          // is not in the catalog and is never served.
          log::warn("intent of a seal left out", {{"cause", "malformed"}});
          return true;
        }
        PendingSeal seal;
        seal.generation = contents_->recover_frozen(load_be<uint64_t>(key.data() + 1), last);
        seal.intent = Intent{std::string(object_key),
                             {load_be<uint64_t>(uuid.data()), load_be<uint64_t>(uuid.data() + 8)}};
        seal.recovered = true;
        contents_->begin_seal(*seal.generation, seal.intent->object_key);
        if (const auto fresh = parse_fresh_key(object_key)) add_own_writer(fresh->writer);
        pending_seals_.push_back(std::move(seal));
        return true;
      });
}

// A row that cannot be used, because a name or its own form was lost with a damaged log, is
// counted.
void StoreImpl::recover_row(std::string_view key, std::string_view value, RecoveredEpochs& epochs) {
  const auto row = RowKey::decode(key);
  if (row) {
    tenants_.reserve(row->tenant);
    services_.reserve(row->service);
  }
  const std::string* tenant = row ? tenants_.name(row->tenant) : nullptr;
  const std::string* service = row ? services_.name(row->service) : nullptr;
  auto record = HeadRecord::parse(std::string(value));
  if (tenant == nullptr || service == nullptr || !record) {
    return quarantine(tenant == nullptr ? "" : *tenant, 1);
  }
  const size_t bytes = (*record)->value.size();
  (*record)->charge = options_.memory->must_charge(bytes);
  const int64_t now_ns = options_.clock->boot_ns();
  std::shared_ptr<Epoch>& epoch = epochs.by_number[row->epoch];
  if (!epoch) {
    epoch = std::make_shared<Epoch>(Epoch::Identity{row->epoch, row->tenant, row->service, *tenant,
                                                    *service, random_uuid(*options_.random)},
                                    seed_, now_ns, *options_.memory, dictionaries_, kv_.get());
  }
  if (!contents_->recover(row->generation, {epoch, std::move(*record)}, now_ns)) {
    return quarantine(*tenant, 1);
  }
  ++epoch->unsealed;
  unsealed_bytes_ += bytes;
}

Status StoreImpl::recover_rows(RecoveredEpochs& epochs) {
  const Status scanned = kv_->scan(KvFamily::head, kRowPrefix, prefix_end(kRowPrefix),
                                   [&](std::string_view key, std::string_view value) {
                                     recover_row(key, value, epochs);
                                     return true;
                                   });
  if (!scanned && scanned.error().code != ErrorCode::data_loss) return scanned;
  if (!scanned) {
    // A damaged table file: what stands before the damage is served, the rest is told to be
    // missing.
    log::error("the head is damaged", {{"error", scanned.error().message}});
    quarantine("", 1);
  }
  if (!quarantined_.empty()) log::warn("profiles were lost with a damaged log");
  return {};
}

// While the bucket is away the copy says what is deleted.
Status StoreImpl::recover_deletions() {
  HEARTH_RETURN_IF_ERROR(deletions_.load(*kv_));
  if (const Status read = deletions_.refresh_when_due(); !read) {
    log::warn("the deletions cannot be compared with the bucket",
              {{"error", read.error().message}});
  }
  return {};
}

std::unique_ptr<Compaction> StoreImpl::make_compaction() {
  Compaction::Options options = compaction_options(options_, *contents_, readers_, deletions_);
  options.durable_write = [this](const KvBatch& batch) { return keep(batch); };
  options.ours = [this](const std::string& key) { return is_own(key); };
  options.shared = looks_;
  options.merges = options_.merges && query_only_reason_.empty();
  return std::make_unique<Compaction>(std::move(options));
}

// One batch: the number of this start, and the end of every earlier epoch that has no row left.
Status StoreImpl::record_start(const RecoveredEpochs& epochs) {
  KvBatch batch;
  std::string count;
  put_le(count, start_count_);
  batch.put(KvFamily::meta, kStartCountKey, count);
  uint64_t begin = 0;
  const auto drop_until = [&](uint64_t end) {
    if (begin < end) {
      batch.remove_range(KvFamily::head, DeltaKey::begin(begin), DeltaKey::begin(end));
    }
    begin = end + 1;
  };
  for (const auto& [number, epoch] : epochs.by_number) drop_until(number);
  drop_until(uint64_t{start_count_} << 32U);
  HEARTH_KILL_POINT("open.before_start_record");
  HEARTH_RETURN_IF_ERROR(kv_->write(batch, true));
  HEARTH_KILL_POINT("open.after_start_record");
  return {};
}

}  // namespace hearth::storage
