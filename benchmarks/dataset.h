#pragma once

#include <cstddef>

#include "storage/segment_writer.h"
#include "stream.h"

namespace hearth::bench {

/// `n` profiles of a stream from `begin` on as one dataset, as a seal would hand it to the writer.
storage::DatasetInput make_dataset(const Stream& stream, size_t n, size_t begin = 0);

}  // namespace hearth::bench
