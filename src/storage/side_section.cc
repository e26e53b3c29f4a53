#include "storage/side_section.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/zstd_codec.h"
#include "storage/segment_format.h"

namespace hearth::storage {
namespace {

tl::unexpected<Error> damaged(std::string_view what) {
  return section_damaged(SectionKind::side, what);
}

/// Profiles and entries of the block that begins at profile `first`.
SideBlockInfo next_block(std::span<const uint32_t> count, size_t first) {
  SideBlockInfo block;
  block.first_profile = static_cast<uint32_t>(first);
  for (size_t p = first; p < count.size(); ++p) {
    if (block.entries > 0 && uint64_t{block.entries} + count[p] > kSideBlockEntries) break;
    block.entries += count[p];
    ++block.profiles;
  }
  return block;
}

SideBlockInfo read_info(ByteReader& reader) {
  SideBlockInfo b;
  b.profiles = static_cast<uint32_t>(reader.varint_max(limit::kProfiles));
  b.entries = static_cast<uint32_t>(reader.varint_max(limit::kSideEntries));
  b.stored = static_cast<uint32_t>(reader.varint_max(limit::kSectionBytes));
  b.raw = static_cast<uint32_t>(reader.varint_max(limit::kSectionBytes));
  return b;
}

}  // namespace

Status encode_side(const SideTable& side, const ProfileTable& profiles, size_t types,
                   int zstd_level, std::string& out) {
  std::vector<SideBlockInfo> blocks;
  std::string frames;
  size_t entry = 0;
  for (size_t p = 0; p < side.count.size(); p += blocks.back().profiles) {
    SideBlockInfo& block = blocks.emplace_back(next_block(side.count, p));
    if (block.entries > limit::kSideEntries)
      return section_too_large(SectionKind::side, "a profile of more than 2^20 entries");
    std::string raw;
    encode_side_block({std::span(side.count).subspan(p, block.profiles),
                       std::span(side.entries).subspan(entry, block.entries),
                       std::span(side.values).subspan(entry * types, block.entries * types),
                       std::span(profiles.start_ns).subspan(p, block.profiles), types},
                      raw);
    const std::string stored = zstd_compress(raw, zstd_level);
    block.raw = static_cast<uint32_t>(raw.size());
    block.stored = static_cast<uint32_t>(stored.size());
    frames += stored;
    if (frames.size() > limit::kSectionBytes)
      return section_too_large(SectionKind::side, "more than 1 GiB");
    entry += block.entries;
  }
  put_varint(out, blocks.size());
  for (const SideBlockInfo& b : blocks) {
    for (const uint32_t n : {b.profiles, b.entries, b.stored, b.raw}) put_varint(out, n);
  }
  out += frames;
  return {};
}

Result<SideSection> SideSection::open(std::string bytes, size_t profiles) {
  SideSection section;
  section.bytes_ = std::move(bytes);
  ByteReader reader(section.bytes_);
  const size_t n = reader.count(limit::kProfiles);
  size_t profile = 0;
  uint64_t stored = 0;
  for (size_t i = 0; i < n && reader.ok(); ++i) {
    SideBlockInfo b = read_info(reader);
    b.first_profile = static_cast<uint32_t>(profile);
    b.offset = stored;
    profile += b.profiles;
    stored += b.stored;
    if (b.profiles == 0 || b.entries == 0 || profile > profiles)
      return damaged("profiles or entries of a block");
    section.blocks_.push_back(b);
  }
  if (!reader.ok() || profile != profiles || stored != reader.left())
    return damaged("blocks do not cover profiles and frames");
  for (SideBlockInfo& b : section.blocks_) b.offset += reader.offset();
  return section;
}

uint64_t SideSection::entries() const {
  uint64_t n = 0;
  for (const SideBlockInfo& b : blocks_) n += b.entries;
  return n;
}

bool SideSection::is_cut_as_written(std::span<const uint32_t> count) const {
  return std::ranges::all_of(blocks_, [&](const SideBlockInfo& b) {
    return next_block(count, b.first_profile).profiles == b.profiles;
  });
}

Result<std::string> SideSection::raw_block(const SideBlockInfo& block) const {
  if (block.raw / kZstdMaxRatio > block.stored) return damaged("a block cannot be as large");
  std::string raw;
  HEARTH_RETURN_IF_ERROR(
      zstd_decompress(std::string_view(bytes_).substr(block.offset, block.stored), block.raw, raw));
  return raw;
}

Status SideSection::decode(const SideBlockInfo& block, const ProfileTable& profiles, size_t keys,
                           size_t types, SideTable& out) const {
  HEARTH_ASSIGN_OR_RETURN(const std::string raw, raw_block(block));
  const auto start_ns = std::span(profiles.start_ns).subspan(block.first_profile, block.profiles);
  return decode_side_block(raw, {block.entries, keys, types, start_ns}, out);
}

}  // namespace hearth::storage
