#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <unordered_set>

#include "hearth/clock.h"
#include "hearth/tenant.h"

namespace hearth::ingest {

/// How many series of a tenant had a profile lately, as hashes in two generations: a series that
/// was not seen for 30 to 60 minutes is forgotten. Bounded by the limit per tenant. Thread-safe.
class ActiveSeries {
 public:
  explicit ActiveSeries(const Clock& clock) : clock_(clock) {}
  /// Marks the series as seen. False, and nothing changes, when the tenant would have more than
  /// `max` (0: no limit).
  [[nodiscard]] bool admit(const Tenant& tenant, std::span<const uint64_t> series, size_t max);
  [[nodiscard]] size_t count(const Tenant& tenant) const;

 private:
  static constexpr int64_t kGenerationNs = 1'800'000'000'000;
  /// A series is in one of the two.
  struct Generations {
    std::unordered_set<uint64_t> recent, older;
    int64_t recent_since_ns = 0;
  };
  void age(Generations& g) const;

  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Generations, std::less<>> tenants_;
};

}  // namespace hearth::ingest
