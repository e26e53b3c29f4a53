#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

/// One zstd frame with the content size in its header.
std::string zstd_compress(std::string_view data, int level);

/// Decompresses one frame into exactly `raw_size` bytes (the size a directory declares); more, fewer or corrupt is `data_loss`.
[[nodiscard]] Status zstd_decompress(std::string_view data, size_t raw_size, std::string& out);

}  // namespace hearth
