#pragma once

#include <cstddef>
#include <functional>

#include "base/executor.h"

namespace hearth {

/// Runs body(worker, index) for every index below `count`, in ascending order of their starts: on
/// the calling thread, which is worker 0, and on up to `helpers` tasks of the executor, as far as
/// it has threads free. Returns when all are done. Tasks that the executor starts later do nothing,
/// so a pool that is busy, or whose own task is the caller, costs no waiting.
/// `worker` is at most `helpers`; each number is used by one thread only.
void parallel_for(Executor* executor, size_t helpers, size_t count,
                  const std::function<void(size_t worker, size_t index)>& body);

}  // namespace hearth
