#pragma once

#include <cstdint>
#include <string_view>

namespace hearth {

/// CRC-32C (Castagnoli), as in iSCSI (RFC 3720 B.4): crc32c("123456789") == 0xe3069283.
/// `crc` continues a previous call. Uses SSE4.2 where the build targets it.
uint32_t crc32c(std::string_view data, uint32_t crc = 0);

}  // namespace hearth
