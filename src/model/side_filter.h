#pragma once

#include <cstddef>
#include <cstdint>

#include "hearth/profile.h"

namespace hearth {

/// Takes the side data along where a pass drops samples of a batch in place.
class SideFilter {
 public:
  explicit SideFilter(ProfileBatch::Samples& samples) : side_(samples.side) {}
  /// Sample `from` becomes sample `to`. In ascending order; samples that are not named are dropped.
  void keep(size_t from, size_t to) {
    while (next_ < side_.size() && side_[next_].sample < from) ++next_;
    if (next_ == side_.size() || side_[next_].sample != from) return;
    side_[kept_] = side_[next_++];
    side_[kept_++].sample = static_cast<uint32_t>(to);
  }
  void finish() { side_.resize(kept_); }

 private:
  std::vector<ProfileBatch::SideData>& side_;
  size_t next_ = 0, kept_ = 0;
};

}  // namespace hearth
