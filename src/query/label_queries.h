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
/// Calls `visit` for every virtual series that satisfies the selector and has a profile with a
/// value in the range; the same series comes once per dataset.
[[nodiscard]] Status for_each_series(Engine::Impl& impl, const Tenant& tenant,
                                     const Selector& selector, TimeRange range,
                                     const CancelToken& token, Cost* cost,
                                     const std::function<void(const SeenSeries&)>& visit);

}  // namespace hearth::query
