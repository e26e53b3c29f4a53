#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/commit_queue.h"
#include "storage/compaction.h"
#include "storage/contents.h"
#include "storage/data_dir.h"
#include "storage/disk_reserve.h"
#include "storage/epoch.h"
#include "storage/kv_store.h"
#include "storage/name_table.h"
#include "storage/retry_window.h"
#include "storage/seal_encoder.h"
#include "storage/sealed_rows.h"
#include "storage/segment_catalog.h"
#include "storage/store.h"

namespace hearth::storage {

/// What tests replace around a store.
struct StoreHooks {
  /// Ends the process after a failed commit; nothing is written any more when it is called.
  /// Empty: a log line, a moment for the waiters' answers, exit status 70.
  std::function<void(const Error&)> fail_stop;
};

/// Opens a store over any key-value store, without the lock on a data directory.
/// `query_only_reason`: not empty when nothing may be written.
[[nodiscard]] Result<std::unique_ptr<Store>> open_store(Store::Options options,
                                                        std::unique_ptr<KvStore> kv,
                                                        std::string query_only_reason,
                                                        StoreHooks hooks);

/// Locks are taken in this order, and none is held while waiting for the commit queue but
/// seal_mutex_: seal_mutex_, Service::mutex (several in the order of their numbers), order_mutex_,
/// then those inside Epoch, CommitQueue and Contents.
class StoreImpl final : public Store {
 public:
  StoreImpl(Options options, std::unique_ptr<KvStore> kv, std::string query_only_reason,
            StoreHooks hooks);
  ~StoreImpl() override;

  [[nodiscard]] Status recover();
  /// Kept until the store is gone.
  void hold(std::unique_ptr<DataDir> data_dir) { data_dir_ = std::move(data_dir); }

  Result<AppendOutcome> append(const Tenant& tenant,
                               std::span<const AppendProfile> profiles) override;
  Status append_later(const Tenant& tenant, std::span<const AppendProfile> profiles,
                      const std::function<void()>& encoded, AppendDone done) override;
  Result<View> view(const Tenant& tenant, const ViewQuery& query) override;
  Result<uint64_t> seal() override;
  Status step() override;
  Result<CompactOutcome> compact(bool force, const CancelToken& cancel) override;
  Status compact_step(const CancelToken& cancel) override;
  StoreStats stats() const override;
  DeletionLog* deletions() override { return &deletions_; }
  Result<std::optional<std::string>> meta_get(std::string_view kind, const Tenant& tenant,
                                              std::string_view name) override;
  Status meta_put(std::string_view kind, const Tenant& tenant, std::string_view name,
                  std::string_view value) override;
  std::optional<std::string> not_ready_reason() const override;

 private:
  class AppendWrite;
  class DetachedAppend;
  class Freeze;

  /// One (tenant, service). Its mutex is held from the mapping of a profile's symbols until the
  /// write has its place in the commit queue: no row is durable before the symbols it refers to,
  /// whichever request brought those.
  struct Service {
    std::mutex mutex;
    uint32_t tenant = 0, service = 0;
    std::string tenant_name, service_name;
    std::shared_ptr<Epoch> epoch;  ///< The one that takes rows; nullptr before the first.
    std::atomic<int64_t> used_ns = 0;
  };
  struct Intent {
    std::string object_key;
    Id128 uuid;
  };
  struct PendingSeal {
    std::shared_ptr<HeadGeneration> generation;
    std::optional<Intent> intent;
    bool recovered = false;                    ///< The object may exist already.
    std::map<std::string, uint64_t> left_out;  ///< Profiles that no segment can hold, by tenant.
  };
  struct RecoveredEpochs;

  // store_open.cc
  [[nodiscard]] Status recover_intents();
  [[nodiscard]] Status recover_rows(RecoveredEpochs& epochs);
  void recover_row(std::string_view key, std::string_view value, RecoveredEpochs& epochs);
  [[nodiscard]] Status recover_deletions();
  [[nodiscard]] std::unique_ptr<Compaction> make_compaction();
  [[nodiscard]] Status record_start(const RecoveredEpochs& epochs);

  // store_compare.cc
  [[nodiscard]] Status recover_catalog();
  [[nodiscard]] Result<CatalogLoad> read_catalog();
  [[nodiscard]] Status catch_up();
  [[nodiscard]] Status catch_up_now();
  [[nodiscard]] Status agree_with(CatalogLoad catalog);
  [[nodiscard]] Result<RowIds> sealed_rows(const std::vector<SegmentEntry>& found);
  [[nodiscard]] std::vector<PendingSeal> take_absorbed_seals(const Snapshot& snapshot);
  void forget(const std::vector<std::string>& removed, std::vector<SegmentEntry> added,
              const std::vector<const HeadGeneration*>& ended, const RowIds& rows);

  // store_append.cc
  [[nodiscard]] Status check_append() const;
  [[nodiscard]] Result<AppendOutcome> append_waiting(const Tenant& tenant,
                                                     std::span<const AppendProfile> profiles,
                                                     const std::function<void()>& encoded);
  AppendOutcome count(const AppendWrite& write);
  [[nodiscard]] Result<Service*> service_for(const Tenant& tenant, uint32_t tenant_number,
                                             std::string_view name);
  void roll_epoch(Service& service, int64_t now_ns);
  void end_epoch(Service& service);
  [[nodiscard]] std::shared_ptr<Epoch> new_epoch(const Service& service, int64_t now_ns);

  // store_seal.cc
  [[nodiscard]] Status freeze();
  [[nodiscard]] Result<uint64_t> seal_pending();
  [[nodiscard]] Status seal_one(PendingSeal& seal);
  void note_seals(const Status& done);
  [[nodiscard]] Result<EncodedSegment> prepare(PendingSeal& seal);
  [[nodiscard]] Result<SegmentEntry> upload(PendingSeal& seal, bool again = false);
  [[nodiscard]] Result<std::optional<SegmentEntry>> uploaded_before(const Intent& intent);
  [[nodiscard]] Status write_intent(const PendingSeal& seal);
  [[nodiscard]] Status go_live(PendingSeal& seal, SegmentEntry entry);
  void log_seal(const PendingSeal& seal, const SegmentIdentity& segment, int64_t begin_ns) const;
  void add_finished_epochs(const HeadGeneration& sealed, KvBatch& batch,
                           std::vector<uint64_t>& finished);
  void settle_epochs(const HeadGeneration& sealed, const std::vector<uint64_t>& finished);
  [[nodiscard]] Result<Intent> new_intent();
  [[nodiscard]] Status join_bucket();
  [[nodiscard]] Status claim_writer();
  void add_own_writer(const std::string& writer);
  [[nodiscard]] bool is_own(const std::string& object_key) const;
  [[nodiscard]] Status durable_write(const KvBatch& batch);
  [[nodiscard]] Status keep(const KvBatch& batch);
  void add_seal_end(const HeadGeneration& sealed, KvBatch& batch, std::vector<uint64_t>& finished);
  [[nodiscard]] Status verify(const std::vector<std::shared_ptr<HeadGroup>>& groups);
  [[nodiscard]] Status verify_group(HeadGroup& group);

  // store_ack.cc
  [[nodiscard]] Status wait_for_bucket(uint64_t generation);
  void tell_waiters(bool sealed);
  [[nodiscard]] bool ack_is_due(int64_t now_ns) const;

  // store.cc
  [[nodiscard]] bool seal_is_due(int64_t now_ns) const;
  [[nodiscard]] bool hour_is_over(int64_t oldest_age_ns) const;
  [[nodiscard]] uint64_t segment_bytes() const;
  [[nodiscard]] Status seal_when_due(int64_t now_ns);
  void end_old_epochs(int64_t now_ns);
  [[nodiscard]] bool memory_is_short() const;
  [[nodiscard]] std::vector<Service*> services_with_epoch() const;
  [[nodiscard]] size_t dictionary_bytes_to_keep(size_t live) const;
  [[nodiscard]] Status delete_dead_epochs();

  const Options options_;
  const uint64_t seed_;
  /// Of all dictionaries; shared with them, as readers may outlive the store.
  const std::shared_ptr<MemoryAccountant> dictionaries_;
  const std::string query_only_reason_;
  /// Others write to the bucket, or may, as this process does not.
  const bool looks_;
  std::function<void(const Error&)> fail_stop_;
  std::unique_ptr<DataDir> data_dir_;
  std::unique_ptr<KvStore> kv_;
  DiskReserve disk_;
  std::atomic<bool> disk_low_ = false;
  uint32_t start_count_ = 0;

  CommitQueue queue_;
  NameTable tenants_, services_;
  std::unique_ptr<Contents> contents_;
  SegmentReaders readers_;
  DeletionLog deletions_;
  std::unique_ptr<Compaction> compaction_;
  std::atomic<bool> compared_ = false;  ///< The contents have agreed with the bucket in this life.
  std::atomic<int64_t> next_compare_ns_ = INT64_MIN;

  mutable std::mutex services_mutex_;
  std::unordered_map<uint64_t, std::unique_ptr<Service>> service_map_;
  std::atomic<uint64_t> next_epoch_ = 0;

  /// Guards the retry window and the order in which writes enter the queue relative to it and to
  /// a change of the generation.
  mutable std::mutex order_mutex_;
  RetryWindow retries_;
  std::atomic<uint64_t> generation_ = 0;

  void quarantine(const std::string& tenant, uint64_t profiles);
  [[nodiscard]] uint64_t quarantined_of(const std::string& tenant) const;

  std::mutex verify_mutex_;
  mutable std::mutex quarantine_mutex_;
  /// Profiles lost with a damaged log; "" when it cannot be said whose they were.
  std::map<std::string, uint64_t, std::less<>> quarantined_;
  std::mutex seal_mutex_;
  std::vector<PendingSeal> pending_seals_;
  std::string writer_;  ///< Empty until claimed.
  /// Ids under which this process puts segments: its own, and those of intents of earlier lives.
  mutable std::mutex writers_mutex_;
  std::set<std::string, std::less<>> writers_;
  uint64_t next_segment_ = 0;
  uint64_t frozen_before_ = 0;  ///< Generations below it are sealed or pending.
  int64_t seal_retry_at_ns_ = INT64_MIN;
  int64_t seal_backoff_ns_ = 0;
  int64_t next_epoch_check_ns_ = INT64_MIN;
  /// Dictionaries were given up and memory is still short; the next seal frees them.
  std::atomic<bool> shed_waits_for_seal_ = false;
  uint64_t freed_at_shed_ = 0;  ///< epochs_shed_ when free memory was given back last.

  std::atomic<bool> seals_fail_ = false;
  int64_t seals_failed_since_ns_ = 0;  ///< Under seal_mutex_.

  /// Appends that wait until their segment is in the bucket.
  mutable std::mutex ack_mutex_;
  std::condition_variable ack_changed_;
  uint64_t sealed_before_ = 0;  ///< All rows of generations below it are in the bucket.
  uint64_t ack_failures_ = 0;
  uint64_t ack_waiters_ = 0;
  int64_t next_ack_seal_ns_ = INT64_MIN;

  std::mutex dead_mutex_;
  std::vector<uint64_t> dead_epochs_;  ///< Over, without rows: their deltas can go.

  std::atomic<uint64_t> unsealed_bytes_ = 0;
  std::atomic<uint64_t> waiting_appends_ = 0;  ///< Those that nobody waits for.
  std::atomic<uint64_t> profiles_ = 0, duplicates_ = 0, rows_ = 0, seals_ = 0, seal_failures_ = 0,
                        sealed_profiles_ = 0, corrupt_objects_ = 0, epochs_shed_ = 0;
};

}  // namespace hearth::storage
