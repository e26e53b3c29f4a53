#include "storage/block_section.h"

#include <algorithm>

#include "base/bytes.h"
#include "storage/saturating_sum.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::blocks, what);
}

RowBlockInfo read_block(ByteReader& reader, size_t types) {
  RowBlockInfo b;
  b.profiles = static_cast<uint32_t>(reader.varint_max(limit::kProfiles));
  b.rows = static_cast<uint32_t>(reader.varint_max(limit::kBlockRowsRead));
  b.t_min_ns = reader.svarint();
  b.t_max_ns = static_cast<int64_t>(static_cast<uint64_t>(b.t_min_ns) + reader.varint());
  b.first_series = static_cast<uint32_t>(reader.varint_max(limit::kSeries));
  b.last_series = b.first_series + static_cast<uint32_t>(reader.varint_max(limit::kSeries));
  b.highest_key = static_cast<uint32_t>(reader.varint_max(limit::kKeys));
  b.sums.resize(types);
  for (int64_t& sum : b.sums) sum = reader.svarint();
  b.stored = static_cast<uint32_t>(reader.varint_max(limit::kSectionBytes));
  b.raw = static_cast<uint32_t>(reader.varint_max(limit::kSectionBytes));
  b.crc = reader.u32();
  return b;
}

/// What BLKS repeats of PROF lets a query skip blocks without reading PROF's columns; it must not
/// say anything else.
bool repeats(const RowBlockInfo& block, const RowBlockInfo& derived) {
  return block.rows == derived.rows && block.t_min_ns == derived.t_min_ns &&
         block.t_max_ns == derived.t_max_ns && block.first_series == derived.first_series &&
         block.last_series == derived.last_series && block.sums == derived.sums;
}

}  // namespace

RowBlockInfo summarise_block(const ProfileTable& profiles, size_t first, size_t count) {
  RowBlockInfo b;
  b.profiles = static_cast<uint32_t>(count);
  b.first_profile = static_cast<uint32_t>(first);
  const auto [t_min, t_max] =
      std::ranges::minmax(std::span(profiles.start_ns).subspan(first, count));
  b.t_min_ns = t_min;
  b.t_max_ns = t_max;
  b.first_series = profiles.series[first];
  b.last_series = profiles.series[first + count - 1];
  uint64_t rows = 0;
  for (size_t p = first; p < first + count; ++p) rows += profiles.rows[p];
  b.rows = static_cast<uint32_t>(std::min<uint64_t>(rows, UINT32_MAX));
  for (const auto& total : profiles.totals)
    b.sums.push_back(saturating_sum(std::span(total).subspan(first, count)));
  return b;
}

size_t block_length(std::span<const uint32_t> rows, size_t first, uint64_t rows_max) {
  size_t count = 0;
  uint64_t sum = 0;
  while (first + count < rows.size() && count < kBlockProfiles) {
    sum += rows[first + count];
    if (count > 0 && sum > rows_max) break;
    ++count;
  }
  return count;
}

void encode_blocks(std::span<const RowBlockInfo> blocks, std::string& out) {
  put_varint(out, blocks.size());
  for (const RowBlockInfo& b : blocks) {
    put_varint(out, b.profiles);
    put_varint(out, b.rows);
    put_svarint(out, b.t_min_ns);
    put_varint(out, static_cast<uint64_t>(b.t_max_ns) - static_cast<uint64_t>(b.t_min_ns));
    put_varint(out, b.first_series);
    put_varint(out, b.last_series - b.first_series);
    put_varint(out, b.highest_key);
    for (const int64_t sum : b.sums) put_svarint(out, sum);
    put_varint(out, b.stored);
    put_varint(out, b.raw);
    put_le(out, b.crc);
  }
}

Status decode_blocks(std::string_view raw, const ProfileTable& profiles, size_t keys,
                     uint64_t rows_stored, std::vector<RowBlockInfo>& out) {
  ByteReader reader(raw);
  const size_t n = reader.count(limit::kProfiles);
  size_t profile = 0;
  uint64_t row = 0;
  uint64_t offset = 0;
  out.clear();
  for (size_t i = 0; i < n; ++i) {
    RowBlockInfo b = read_block(reader, profiles.totals.size());
    if (!reader.ok() || b.profiles == 0 || b.profiles > profiles.size() - profile)
      return damaged("profiles of a block");
    if (!repeats(b, summarise_block(profiles, profile, b.profiles)))
      return damaged("a block contradicts its profiles");
    if (b.rows > 0 && b.highest_key >= keys) return damaged("highest key");
    b.first_profile = static_cast<uint32_t>(profile);
    b.first_row = row;
    b.offset = offset;
    profile += b.profiles;
    row += b.rows;
    offset += b.stored;
    out.push_back(std::move(b));
  }
  if (!reader.done() || profile != profiles.size() || offset != rows_stored) {
    return damaged("blocks do not cover profiles and rows");
  }
  return {};
}

}  // namespace hearth::storage
