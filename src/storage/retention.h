#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hearth::storage {

/// How long profiles of some tenant and service are kept.
struct RetentionRule {
  std::string tenant;   ///< Empty: of every tenant.
  std::string service;  ///< Empty: all of the tenant's.
  int64_t age_ns = 0;   ///< 0: for ever.
  bool operator==(const RetentionRule&) const = default;
};

/// What is deleted without being asked for. Ages count from the end of the hour or day that a
/// segment holds, sizes are those of live segments.
struct Retention {
  int64_t age_ns = 0;      ///< Where no rule says otherwise; 0: for ever.
  uint64_t bytes_max = 0;  ///< Over it the oldest segments go; 0: no limit.
  std::vector<RetentionRule> rules;

  /// The age of the rule that says most: tenant and service, then service, then tenant.
  [[nodiscard]] int64_t age_of(std::string_view tenant, std::string_view service) const;
  /// The longest that anything is kept by age; 0: for ever.
  [[nodiscard]] int64_t longest_age_ns() const;
};

/// "acme=7d, acme/checkout=30d, */batch=1d, audit=0": TENANT[/SERVICE]=DURATION, `*` for every
/// tenant, 0 for ever. `parse_duration` reads the durations. `invalid_argument` names the part.
[[nodiscard]] Result<std::vector<RetentionRule>> parse_retention_rules(
    std::string_view text, Result<int64_t> (*parse_duration)(std::string_view));

}  // namespace hearth::storage
