#pragma once

#include <string>
#include <vector>

#include "hearth/profile.h"

namespace hearth::cli {

/// Ids of the function names of a batch: equal names, equal ids. A location without a function gets
/// its address as name.
class FrameNames {
 public:
  explicit FrameNames(const ProfileBatch& batch);
  /// Names of a location, innermost inlined function first; at least one.
  [[nodiscard]] const std::vector<uint32_t>& of_location(uint32_t location) const {
    return by_location_[location];
  }
  /// Names of a sample's stack, leaf first.
  [[nodiscard]] std::vector<uint32_t> of_sample(size_t sample) const;
  [[nodiscard]] const std::string& name(uint32_t id) const { return names_[id]; }
  [[nodiscard]] size_t size() const { return names_.size(); }

 private:
  const ProfileBatch& batch_;
  std::vector<std::string> names_;
  std::vector<std::vector<uint32_t>> by_location_;
};

}  // namespace hearth::cli
