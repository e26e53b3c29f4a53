#pragma once

#include <functional>

#include "query/engine_impl.h"
#include "query/virtual_series.h"

namespace hearth::query {

/// What a scan of labels tells about one virtual series of one dataset.
struct SeenSeries {
  const VirtualSeries& series;
  int64_t newest_ns = 0;  ///< Start of its newest profile in the range.
  uint64_t profiles = 0;  ///< In the range.
};
/// What takes the series of a scan.
struct SeriesVisitor {
  std::function<void()> restart;  ///< The scan begins, perhaps anew: nothing was seen yet.
  std::function<void(const SeenSeries&)> visit;
};
/// Visits every virtual series that satisfies the selector and has a profile with a value in the
/// range; the same series comes once per dataset. One dataset is in memory at a time.
[[nodiscard]] Status for_each_series(Engine::Impl& impl, const Tenant& tenant,
                                     const Selector& selector, TimeRange range,
                                     const CancelToken& token, Cost* cost,
                                     const SeriesVisitor& visitor);

}  // namespace hearth::query
