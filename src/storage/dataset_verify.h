#pragma once

#include <string>
#include <utility>
#include <vector>

#include "storage/segment_dataset.h"

namespace hearth::storage {

/// Lines about what is wrong, at most 100 of them: one flipped bit can contradict every profile.
class Findings {
 public:
  void add(std::string line) {
    if (lines_.size() < kMax) lines_.push_back(std::move(line));
  }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }

 private:
  static constexpr size_t kMax = 100;
  std::vector<std::string> lines_;
};

/// Decodes every section and row block; compares sums, ranges and counts with the directory;
/// encodes the contents again and compares the bytes; looks for symbols and keys that nothing uses.
void verify_dataset(const SegmentDataset& dataset, Findings& findings);

}  // namespace hearth::storage
