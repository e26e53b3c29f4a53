#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.h"
#include "base/memory_accountant.h"
#include "base/random.h"
#include "base/result.h"
#include "storage/dataset_merge.h"
#include "storage/open_segment.h"
#include "storage/segment_catalog.h"
#include "storage/snapshot.h"

namespace hearth::storage {

/// A merged segment, complete but not stored yet.
struct MergedSegment {
  std::string bytes;
  SegmentEntry entry;
  SnapshotSegment listed;
};

/// Merges whole segments into single-tenant ones, each of one window of time and a range of hashed
/// service names. In memory are one dataset, one output, and the inputs' directories.
class SegmentMerge {
 public:
  struct Options {
    uint8_t level = 1;      ///< Of the outputs.
    int64_t window_ns = 0;  ///< Their length.
    bool keep_ids = true;
    bool keep_side = true;
    /// Services that the outputs leave out; empty: none.
    std::function<bool(const std::string& tenant, const std::string& service)> drop;
    /// Whose profiles the outputs leave out; nullptr: none.
    std::shared_ptr<const std::vector<Deletion>> deletions;
    uint64_t output_bytes = 64ULL << 20U;       ///< Aimed at, from the sizes of the inputs.
    uint64_t output_max_bytes = 128ULL << 20U;  ///< A segment that passes it is closed.
    MergeLimits limits;
    std::string writer_version;
    Random* random = nullptr;
    MemoryAccountant* memory = nullptr;
    CancelToken cancel;
  };
  struct Input {
    std::string key;
    const OpenSegment* segment = nullptr;
  };
  /// Takes each output as soon as it is complete; an error ends the merge.
  using Emit = std::function<Status(MergedSegment)>;
  SegmentMerge(std::vector<Input> inputs, Options options, Emit emit);
  ~SegmentMerge();

  /// `data_loss` when an input is damaged: see failed_input(). `internal` when not every profile of
  /// the inputs came out once.
  [[nodiscard]] Status run();
  /// Key of the input that could not be read; empty when none.
  [[nodiscard]] const std::string& failed_input() const { return failed_input_; }
  [[nodiscard]] uint64_t profiles() const { return profiles_; }
  [[nodiscard]] uint64_t duplicates() const { return duplicates_; }
  [[nodiscard]] uint64_t dropped() const { return dropped_; }
  [[nodiscard]] uint64_t deleted() const { return deleted_; }

 private:
  class Output;
  using ServiceKey = std::pair<std::string, Family>;
  using Datasets = std::vector<std::pair<const SegmentDataset*, size_t>>;  ///< With its input.
  [[nodiscard]] Status group();
  [[nodiscard]] Result<std::vector<int64_t>> windows_of(const SegmentDataset& dataset) const;
  [[nodiscard]] Status merge_window(const std::string& tenant, int64_t start_ns,
                                    const std::map<ServiceKey, Datasets>& services);
  [[nodiscard]] Status merge_service(const std::string& tenant, const ServiceKey& service,
                                     const Datasets& datasets, int64_t start_ns, Output& output);

  const std::vector<Input> inputs_;
  const Options options_;
  const Emit emit_;
  std::map<std::pair<std::string, int64_t>, std::map<ServiceKey, Datasets>> windows_;
  std::string failed_input_;
  uint64_t profiles_ = 0, duplicates_ = 0, dropped_ = 0, deleted_ = 0;
};

}  // namespace hearth::storage
