#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hearth {

/// Bytes that hot decoders may read past the logical end of a buffer: allocate this much more, zeroed.
constexpr size_t kReadSlack = 64;

/// True for the gzip magic 1f 8b.
bool is_gzip(std::string_view data);

/// Inflates all gzip members of `data` (RFC 1952) into `out`, whose capacity is reused. After success `out` holds exactly the
/// inflated bytes and its capacity has at least kReadSlack more, zeroed.
/// Errors: `too_large` when the output would pass `max_bytes` (bombs stop there; members count together),
/// `invalid_argument` for truncated or corrupt input; `out` is then unspecified.
[[nodiscard]] Status gunzip(std::string_view data, size_t max_bytes, std::string& out);

/// gzip with libdeflate at `level` 1…12; the header carries no time and no name, so equal input gives equal bytes.
std::string gzip_compress(std::string_view data, int level = 1);

}  // namespace hearth
