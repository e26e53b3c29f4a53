#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth::formats {

/// Undoes compression that the content itself shows: gzip (1f 8b, all members) and zstd (28 b5 2f
/// fd, all frames), at most two layers. Holds the output; its capacity is reused.
class Decompressor {
 public:
  /// Returns the innermost bytes: `data` itself when nothing was compressed, else a view into this
  /// object with kReadSlack readable bytes behind it, good until the next call. Errors: too_large
  /// (reason profile_size_limit) when a layer would pass `max_bytes`; invalid_argument for corrupt
  /// or truncated data and for a third layer.
  [[nodiscard]] Result<std::string_view> decompress(std::string_view data, size_t max_bytes);

 private:
  std::array<std::string, 2> layers_;
};

}  // namespace hearth::formats
