#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <string>

#include "hearth/clock.h"
#include "net/http.h"

namespace hearth::api {

/// Requests of one route, counted by status and by duration. Thread-safe.
struct RouteStats {
  /// Upper ends of the duration buckets, in seconds; the last bucket is open.
  static constexpr std::array kBucketSeconds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                             0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
  /// Statuses that are counted on their own; others count by their hundred (500 for 599).
  static constexpr std::array kStatuses{200, 400, 401, 403, 404, 405, 408, 409, 413,
                                        415, 421, 422, 429, 499, 500, 501, 503, 504};

  std::string path;
  std::array<std::atomic<uint64_t>, kStatuses.size()> by_status{};
  std::array<std::atomic<uint64_t>, kBucketSeconds.size() + 1> by_duration{};
  std::atomic<uint64_t> duration_ns = 0;

  void add(int status, int64_t ns);
};

/// One entry per route; grows only while routes are made.
using RouteStatsTable = std::deque<RouteStats>;

/// The same route with its requests counted in `table`.
net::Route counted(RouteStatsTable& table, const Clock& clock, net::Route route);

}  // namespace hearth::api
