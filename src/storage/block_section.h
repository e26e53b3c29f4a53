#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/profile_section.h"

namespace hearth::storage {

/// One row block as BLKS describes it. `first_profile`, `first_row` and `offset` (in ROWS) follow
/// from the blocks before.
struct RowBlockInfo {
  uint32_t profiles = 0, rows = 0;
  int64_t t_min_ns = 0, t_max_ns = 0;
  uint32_t first_series = 0, last_series = 0;
  uint32_t highest_key = 0;
  std::vector<int64_t> sums;  ///< Per sample type, of the profiles' totals, saturating.
  uint32_t stored = 0, raw = 0, crc = 0;
  uint32_t first_profile = 0;
  uint64_t first_row = 0, offset = 0;

  /// Columns of PROF, of this block's profiles.
  [[nodiscard]] std::span<const uint32_t> rows_of(const ProfileTable& p) const {
    return std::span(p.rows).subspan(first_profile, profiles);
  }
  [[nodiscard]] std::span<const int64_t> periods_of(const ProfileTable& p) const {
    return std::span(p.period).subspan(first_profile, profiles);
  }
};

/// What follows from PROF alone for the block of `count` profiles from `first`: everything but
/// keys, bytes and checksum.
RowBlockInfo summarise_block(const ProfileTable& profiles, size_t first, size_t count);

/// How many profiles from `first` on form one block: up to 256 and up to `rows_max` rows, but at
/// least one.
size_t block_length(std::span<const uint32_t> rows, size_t first, uint64_t rows_max);

/// BLKS: vec of {varint profiles, rows, svarint t_min, varint t_max − t_min, varint first series,
/// last − first, highest key, svarint sum per sample type, varint stored, raw, u32 crc}.
void encode_blocks(std::span<const RowBlockInfo> blocks, std::string& out);

/// Decodes and compares with PROF: the blocks must cover the profiles, say of them what is true,
/// and fill ROWS (`rows_stored`).
[[nodiscard]] Status decode_blocks(std::string_view raw, const ProfileTable& profiles, size_t keys,
                                   uint64_t rows_stored, std::vector<RowBlockInfo>& out);

}  // namespace hearth::storage
