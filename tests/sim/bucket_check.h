#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sim/world.h"
#include "storage/snapshot.h"

namespace hearth::sim {

/// What must hold in the bucket at every moment, whoever is in the middle of what.
class BucketCheck {
 public:
  /// `views_last`: objects outlive the snapshot that drops them, so what a reader saw stays.
  BucketCheck(World& world, bool views_last) : world_(world), views_last_(views_last) {}

  /// Every segment of the newest snapshot exists, is the one that is named and verifies; every
  /// fresh one that was ever there still is, or was absorbed; so is what readers saw of late.
  void check();
  /// At the end: no number of a writer is missing without being absorbed, and nothing is left that
  /// nobody refers to.
  void check_end();

 private:
  struct View {
    int64_t at_ns = 0;
    std::vector<std::string> keys;
  };
  [[nodiscard]] storage::Snapshot newest();
  void check_segment(const std::string& key, const Id128* uuid, uint64_t size);

  World& world_;
  const bool views_last_;
  std::set<std::string> verified_;
  std::set<std::string> fresh_;  ///< Fresh segments that were ever seen.
  std::vector<View> views_;
  uint64_t viewed_number_ = UINT64_MAX;
};

}  // namespace hearth::sim
