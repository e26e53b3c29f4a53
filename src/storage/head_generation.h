#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "storage/dataset.h"
#include "storage/epoch.h"
#include "storage/head_record.h"

namespace hearth::storage {

/// The records of one epoch and family in one generation: what becomes a dataset. Records are only
/// appended, under the contents' lock, and never move in memory; once the generation is sealed to
/// an object they do not change at all. Until then those that must not be sealed are taken out.
class HeadGroup {
 public:
  HeadGroup(std::shared_ptr<Epoch> epoch, Family family);

  void add(std::unique_ptr<const HeadRecord> record);
  /// Takes out the records for which `bad` holds; returns how many. Who has pointers to them, such
  /// as a query, may go on: they are kept, uncounted, as long as the group.
  template <class Bad>
  size_t remove_if(Bad&& bad) {
    std::vector<std::unique_ptr<const HeadRecord>> all = std::exchange(records_, {});
    reset();
    for (auto& record : all) {
      if (bad(*record)) {
        removed_.push_back(std::move(record));
      } else {
        add(std::move(record));
      }
    }
    return all.size() - records_.size();
  }
  [[nodiscard]] const std::shared_ptr<Epoch>& epoch() const { return epoch_; }
  [[nodiscard]] const std::vector<std::unique_ptr<const HeadRecord>>& records() const {
    return records_;
  }
  /// Of the records so far. `nodes` and `keys` are the dictionary's.
  [[nodiscard]] DatasetInfo info() const;
  [[nodiscard]] bool overlaps(int64_t t_min_ns, int64_t t_max_ns) const {
    return !records_.empty() && info_.t_min_ns <= t_max_ns && t_min_ns <= info_.t_max_ns;
  }
  [[nodiscard]] uint64_t bytes() const { return bytes_; }

  /// False until the symbols of a recovered group were read and its rows checked against them.
  bool verified = true;

 private:
  void reset();

  std::shared_ptr<Epoch> epoch_;
  std::vector<std::unique_ptr<const HeadRecord>> records_, removed_;
  DatasetInfo info_;
  boost::unordered_flat_set<uint64_t> series_;
  uint64_t bytes_ = 0;
};

/// A record and the epoch it belongs to.
struct NewRecord {
  std::shared_ptr<Epoch> epoch;
  std::unique_ptr<const HeadRecord> record;
};

/// Rows that are sealed together. `first` < `last` when it holds what an earlier life left.
class HeadGeneration {
 public:
  HeadGeneration(uint64_t first_number, uint64_t last_number)
      : first(first_number), last(last_number) {}
  uint64_t first, last;  ///< Generation numbers in the keys of its rows, inclusive.

  /// `data_loss` when the record's family is malformed; the record is then dropped.
  [[nodiscard]] Status add(NewRecord record, int64_t boot_ns, bool verified);
  /// The groups in no particular order, by (epoch, family).
  [[nodiscard]] const auto& groups() const { return groups_; }
  [[nodiscard]] uint64_t profiles() const;
  [[nodiscard]] uint64_t bytes() const;
  [[nodiscard]] bool empty() const { return profiles() == 0; }
  /// When its first record came, by the boot clock; INT64_MAX while empty.
  [[nodiscard]] int64_t began_ns() const { return empty() ? INT64_MAX : began_ns_; }

 private:
  struct Less {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.first != b.first ? a.first < b.first
                                : std::string_view(a.second) < std::string_view(b.second);
    }
  };
  std::map<std::pair<uint64_t, std::string>, std::shared_ptr<HeadGroup>, Less> groups_;
  int64_t began_ns_ = INT64_MAX;
};

}  // namespace hearth::storage
