#include "api/route_stats.h"

#include <algorithm>

namespace hearth::api {
namespace {

size_t status_slot(int status) {
  const auto& all = RouteStats::kStatuses;
  auto it = std::ranges::find(all, status);
  if (it == all.end()) it = std::ranges::find(all, status / 100 * 100);
  if (it == all.end()) it = all.begin();
  return static_cast<size_t>(it - all.begin());
}

}  // namespace

void RouteStats::add(int status, int64_t ns) {
  ++by_status[status_slot(status)];
  const double seconds = static_cast<double>(ns) * 1e-9;
  const auto bucket = std::ranges::lower_bound(kBucketSeconds, seconds) - kBucketSeconds.begin();
  ++by_duration[static_cast<size_t>(bucket)];
  duration_ns += static_cast<uint64_t>(std::max<int64_t>(ns, 0));
}

net::Route counted(RouteStatsTable& table, const Clock& clock, net::Route route) {
  RouteStats& stats = table.emplace_back();
  stats.path = route.path;
  route.handler = [&stats, &clock, inner = std::move(route.handler)](net::Request& request) {
    const int64_t begin = clock.boot_ns();
    net::Response response = inner(request);
    if (!response.after) {
      stats.add(response.status, clock.boot_ns() - begin);
      return response;
    }
    response.after = [&stats, &clock, begin, status = response.status,
                      after = std::move(response.after)](const net::Response::Send& send) {
      after([&stats, &clock, begin, status, send](std::optional<net::Response> instead) {
        stats.add(instead ? instead->status : status, clock.boot_ns() - begin);
        send(std::move(instead));
      });
    };
    return response;
  };
  return route;
}

}  // namespace hearth::api
