#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "storage/side_data.h"

/// Side data of some consecutive profiles as one run of columns: a block of SIDE before
/// compression, and what a head record says of its one profile.
///
///   u8 flags (1 spans, 2 traces, 4 times), vcol entries per profile, svb keys (per profile the
///   first, then the gap, 0 for the same), [varint spans, str their 8 bytes each, svb index + 1],
///   [varint traces, str their 16 bytes each, svb index + 1], [zigzag vcol time − the profile's
///   start], value column per sample type
///
/// The ids of a table ascend; index + 1 = 0: the entry has none.
namespace hearth::storage {

/// A SideTable, or the part of one that belongs to consecutive profiles; one start time for each.
struct SideView {
  std::span<const uint32_t> count;
  std::span<const SideEntry> entries;
  std::span<const int64_t> values;
  std::span<const int64_t> start_ns;
  size_t types = 0;
};

void encode_side_block(const SideView& view, std::string& out);

/// What is known of a block before it is read.
struct SideBlockShape {
  size_t entries = 0;
  size_t keys = 0;  ///< Keys are below it.
  size_t types = 0;
  std::span<const int64_t> start_ns;  ///< Of its profiles.
};

/// Checks everything that SideTable promises. `data_loss` when the bytes hold something else.
[[nodiscard]] Status decode_side_block(std::string_view raw, const SideBlockShape& shape,
                                       SideTable& out);

}  // namespace hearth::storage
