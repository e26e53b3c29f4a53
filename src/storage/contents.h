#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "storage/head_generation.h"
#include "storage/segment_catalog.h"
#include "storage/store.h"

namespace hearth::storage {

/// What queries see: the head's generations and the live segments, under one lock, so that every
/// profile is counted exactly once also while it moves from the one to the other. Thread-safe.
class Contents {
 public:
  explicit Contents(uint64_t generation);

  /// Makes durable records visible.
  void publish(std::vector<NewRecord> records, int64_t boot_ns);
  /// Adds what an earlier life left: to the frozen generation that covers its number, else to the
  /// open one. False when the record is malformed.
  bool recover(uint64_t generation, NewRecord record, int64_t boot_ns);
  /// A frozen generation whose seal an earlier life began.
  std::shared_ptr<HeadGeneration> recover_frozen(uint64_t first, uint64_t last);

  /// Closes the open generation and opens `next`; nullptr when it was empty (it stays open then).
  std::shared_ptr<HeadGeneration> freeze(uint64_t next);
  /// The object that the frozen generation is sealed to may exist from now on.
  void begin_seal(const HeadGeneration& frozen, std::string object_key);
  /// Objects of seals that were begun and not committed: their rows are still in the head.
  [[nodiscard]] std::vector<std::string> sealing() const;
  /// The frozen generation's rows are now in `entry`'s segment: both change in one step.
  void commit_seal(const HeadGeneration& frozen, SegmentEntry entry);
  void add_segment(SegmentEntry entry);
  /// Other segments hold the same profiles now: both lists change in one step. Keys that are not
  /// live are passed over.
  void replace(std::span<const std::string> removed, std::vector<SegmentEntry> added);
  /// Profiles that left the head.
  struct Forgotten {
    std::shared_ptr<Epoch> epoch;
    uint64_t profiles = 0, bytes = 0;
  };
  using IsSealed = std::function<bool(const Epoch& epoch, const HeadRecord& record)>;
  /// As replace(); in the same step leave the head what the segments hold, too: the frozen
  /// generations in `ended`, and the records for which `sealed` holds, which are returned. Nobody
  /// verifies or seals meanwhile.
  std::vector<Forgotten> catch_up(std::span<const std::string> removed,
                                  std::vector<SegmentEntry> added,
                                  std::span<const HeadGeneration* const> ended,
                                  const IsSealed& sealed);
  [[nodiscard]] bool is_live(const std::string& key) const;
  [[nodiscard]] std::vector<SegmentIdentity> identities() const;
  /// The live segments that `wanted` accepts, by key.
  [[nodiscard]] std::vector<SegmentEntry> segments(
      const std::function<bool(const SegmentIdentity&)>& wanted) const;

  struct SegmentPart {
    std::shared_ptr<const SegmentIdentity> segment;
    size_t dataset = 0;
    int64_t t_min_ns = 0, t_max_ns = 0;
    uint64_t profiles = 0;
  };
  struct View {
    std::vector<std::shared_ptr<const Dataset>> head;
    std::vector<SegmentPart> segments;
  };
  [[nodiscard]] View view(const std::string& tenant, const Store::ViewQuery& query) const;

  /// Recovered groups whose rows were not compared with their symbols yet.
  [[nodiscard]] std::vector<std::shared_ptr<HeadGroup>> unverified(
      const std::string& tenant, const std::optional<std::string>& service) const;
  /// Marks the group verified without the records for which `bad` holds; returns how many went.
  template <class Bad>
  size_t verify(HeadGroup& group, Bad&& bad) {
    const std::lock_guard lock(mutex_);
    group.verified = true;
    return group.remove_if(bad);
  }

  struct Totals {
    uint64_t head_profiles = 0, head_bytes = 0, segments = 0, segment_bytes = 0;
    int64_t open_began_ns = INT64_MAX;
    uint64_t open_bytes = 0;
    uint64_t frozen = 0;  ///< Generations that are being sealed or wait for it.
    struct Level {
      uint64_t segments = 0, bytes = 0;
    };
    std::array<Level, 3> levels;  ///< L0, L1, L2.
  };
  [[nodiscard]] Totals totals() const;

 private:
  using ServiceKey = std::pair<std::string, std::string>;
  using PartsOfService = std::map<ServiceKey, std::vector<SegmentPart>>;
  /// A live segment and where its parts are listed.
  struct LiveSegment {
    std::shared_ptr<const SegmentIdentity> identity;
    std::vector<PartsOfService::iterator> services;
  };
  void replace_locked(std::span<const std::string> removed, std::vector<SegmentEntry> added);
  void drop_frozen_locked(const HeadGeneration& frozen);
  void add_segment_locked(SegmentEntry entry);
  void remove_segment_locked(const std::string& key);
  Totals::Level& level_of(const SegmentIdentity& segment);
  template <class Visit>
  void for_each_group(const std::string& tenant, const std::optional<std::string>& service,
                      Visit&& visit) const;

  mutable std::mutex mutex_;
  std::shared_ptr<HeadGeneration> open_;
  std::vector<std::shared_ptr<HeadGeneration>> frozen_;
  std::map<const HeadGeneration*, std::string> sealing_;
  PartsOfService parts_;
  std::map<std::string, LiveSegment> segments_;
  std::array<Totals::Level, 3> levels_;
};

}  // namespace hearth::storage
