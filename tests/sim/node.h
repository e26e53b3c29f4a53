#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/memory_accountant.h"
#include "base/random.h"
#include "sim/ledger.h"
#include "sim/node_bucket.h"
#include "sim/world.h"
#include "storage/store_impl.h"
#include "support/faulty_file_system.h"
#include "support/model_kv_store.h"

namespace hearth::sim {

/// A process that takes, seals and compacts profiles, on a machine of its own: its disk outlives
/// it. Every operation says whether it may fail: without a fault it may not.
class Node {
 public:
  Node(World& world, Ledger& ledger, size_t number);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool is_open() const { return store_ != nullptr; }
  [[nodiscard]] bool may_crash() const { return running_ == 0; }
  [[nodiscard]] bool may_append() const { return is_open() && !dying() && !opening_; }
  [[nodiscard]] bool may_seal() const {
    return may_append() && !sealing_ && (compared() || !compacting_);
  }
  [[nodiscard]] bool may_compact() const {
    return may_append() && !compacting_ && !erasing_ && !is_looking_again() &&
           (compared() || !sealing_);
  }
  /// A merge that looks for deletions waits for one that is being stored.
  [[nodiscard]] bool may_erase() const { return may_compact(); }
  /// Its start has read the bucket; until then seals and merges, which do, wait for each other.
  [[nodiscard]] bool compared() const { return store_->stats().compared; }
  /// Its power went; it takes no more part until crash() and open().
  [[nodiscard]] bool dying() const { return stopped_ || (bucket_ && bucket_->dead()); }

  void open();
  void crash();
  /// The machine is replaced by an empty one.
  void lose_disk();
  void append(size_t profiles);
  void retry();
  void seal();
  void step();
  void compact_step();
  void compact(bool force);
  /// Deletes some profile, or what starts around it.
  void erase();
  void look(bool rows);
  /// During the next operation the power goes, or its database stops taking writes.
  void arm();
  void set_disk_full(bool full);
  [[nodiscard]] NodeClock& clock() { return clock_; }
  [[nodiscard]] storage::Store& store() { return *store_; }
  [[nodiscard]] MemoryAccountant& memory() { return memory_; }

 private:
  class Running;
  [[nodiscard]] std::optional<Seen> view(const std::string& who, bool rows);
  /// A view that asks the bucket what others merged holds what a merge and a deletion need.
  [[nodiscard]] bool is_looking_again() const {
    return viewing_ > 0 && bucket_->lists() != lists_before_view_;
  }
  [[nodiscard]] storage::Store::Options options();
  /// Notes what came of an operation; an error without any fault since `faults` is a failure.
  void settle(const std::string& what, const Status& status, uint64_t faults, bool may_fail);
  [[nodiscard]] Result<storage::AppendOutcome> send(Sent& sent);
  [[nodiscard]] Sent make_profile();
  void settle_unknown();
  [[nodiscard]] bool is_refusing() const;
  [[nodiscard]] bool compaction_may_fail(int64_t began_ns) const;

  World& world_;
  Ledger& ledger_;
  const size_t number_;
  const std::string name_;
  NodeClock clock_;
  MemoryAccountant memory_{size_t{64} << 20U};
  std::unique_ptr<Random> random_;
  test::FaultyFileSystem files_;
  test::ProfileGen gen_;
  std::shared_ptr<test::ModelKvDisk> disk_ = std::make_shared<test::ModelKvDisk>();
  std::shared_ptr<NodeBucket> bucket_;
  std::unique_ptr<storage::Store> store_;
  test::ModelKvStore* kv_ = nullptr;
  uint64_t starts_ = 0;
  int64_t viewed_ns_ = 0;  ///< When it last looked for what others committed.
  int running_ = 0;        ///< Operations under way,
  int viewing_ = 0;        ///< and views among them.
  uint64_t lists_before_view_ = 0;
  bool opening_ = false, sealing_ = false, compacting_ = false, erasing_ = false, stopped_ = false;
};

}  // namespace hearth::sim
