#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/result.h"

namespace hearth {

/// `type:unit` of one value column, such as cpu:nanoseconds.
struct SampleType {
  std::string type;
  std::string unit;
  auto operator<=>(const SampleType&) const = default;
};

/// The sample types that come together and share stacks (pprof's value columns), with their period type (empty when absent).
/// Rows are stored once per family.
struct Family {
  std::vector<SampleType> types;
  SampleType period;
  auto operator<=>(const Family&) const = default;
};

/// Pyroscope's five-part id `name:sample_type:sample_unit:period_type:period_unit`.
struct ProfileType {
  std::string name;
  SampleType sample;
  SampleType period;
  /// Five parts; a sixth (`:delta`) is accepted and ignored; anything else is `invalid_argument`.
  [[nodiscard]] static Result<ProfileType> parse(std::string_view id);
  [[nodiscard]] std::string id() const;
  auto operator<=>(const ProfileType&) const = default;
};

}  // namespace hearth
