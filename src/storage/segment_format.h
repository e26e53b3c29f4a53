#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hearth/profile.h"

/// Constants of the segment file format 1.1 that writer, reader, verify and inspect share. The byte
/// grammar is docs/segment_format.md.
namespace hearth::storage {

inline constexpr std::string_view kSegmentMagic = "HEARTHSG";
inline constexpr uint32_t kTailMagic = 0x47455348;  ///< "HSEG" in the order of the bytes.
inline constexpr uint16_t kFormatMajor = 1;
inline constexpr uint16_t kFormatMinor = 1;
inline constexpr size_t kHeaderBytes = 32;
inline constexpr size_t kTailBytes = 32;

/// Sections of a dataset. Kinds below 128 are optional: a reader that does not know one skips it.
/// Kinds from 128 are required: a reader that does not know one refuses the dataset. A dataset
/// lists its sections in the order of section_rank().
enum class SectionKind : uint8_t {
  bloom = 1,
  roll = 2,
  side = 16,
  cover_roll = 17,
  cover_strings = 18,
  cover_series = 19,
  strings = 131,
  functions = 132,
  mappings = 133,
  locations = 134,
  edges = 135,
  tree = 136,
  classes = 137,
  keys = 138,
  heap = 139,
  series = 140,
  profiles = 141,
  blocks = 142,
  rows = 143,
};

/// Name of a section as the format page spells it ("STR"); "kind 77" for one that this version does
/// not know.
std::string section_name(SectionKind kind);
/// True for kinds that this version decodes.
bool is_known_section(SectionKind kind);

enum class SectionCodec : uint8_t { raw = 0, zstd = 1, lz4_block = 2 };

inline constexpr int kSymbolZstdLevel = 3;
/// Of level 0, which is merged within the hour.
inline constexpr int kFreshZstdLevel = 1;
/// From level 2 on (days, which are written once and kept): everything but plain rows, which gain
/// nothing.
inline constexpr int kDayZstdLevel = 6;
inline constexpr uint8_t kDayLevel = 2;
/// Of everything but rows, by the segment's level.
constexpr int zstd_level(uint8_t level) {
  if (level == 0) return kFreshZstdLevel;
  return level < kDayLevel ? kSymbolZstdLevel : kDayZstdLevel;
}
inline constexpr int kRowZstdLevel = 1;

/// zstd's best ratio: a block of 4 bytes that stands for 128 KiB of one byte. A declared raw size
/// above it is a lie, noticed before memory is taken.
inline constexpr uint64_t kZstdMaxRatio = 32'768;

/// Class bytes (CLASS): 0 = no key, 1…64 = one key without labels, 255 = next entry of KEYS.
inline constexpr uint8_t kClassMax = 64;
inline constexpr uint8_t kClassListed = 255;
/// Every 16th string is stored whole, so that one name costs at most 15 steps.
inline constexpr size_t kStringRestart = 16;
/// A row block closes at this many profiles or rows, whichever comes first.
inline constexpr size_t kBlockProfiles = 256;
inline constexpr size_t kBlockRows = 65'536;
/// The same for blocks of changes, which are small however many rows they stand for: the first
/// profile of a block is stored whole.
inline constexpr size_t kChainedBlockRows = 1U << 20U;
/// A block of side data closes before it would have more entries.
inline constexpr size_t kSideBlockEntries = 65'536;

/// What a reader believes at most. A writer never passes them.
namespace limit {
inline constexpr uint64_t kObjectBytes = 4ULL << 30U;
inline constexpr uint64_t kDirectoryBytes = 64ULL << 20U;
inline constexpr uint64_t kDatasets = 1ULL << 20U;
inline constexpr uint64_t kSections = 256;
inline constexpr uint64_t kSectionBytes = 1ULL << 30U;
inline constexpr uint64_t kStringBytes = 65'535;
inline constexpr uint64_t kStrings = 1ULL << 24U;
inline constexpr uint64_t kExpandedBytes = 1ULL << 30U;
inline constexpr uint64_t kFunctions = 1ULL << 24U;
inline constexpr uint64_t kLocations = 1ULL << 24U;
inline constexpr uint64_t kMappings = 1ULL << 16U;
inline constexpr uint64_t kLocationLines = 1024;
inline constexpr uint64_t kNodes = 1ULL << 24U;
inline constexpr uint64_t kKeys = 1ULL << 24U;
inline constexpr uint64_t kDepth = 65'535;
inline constexpr uint64_t kLabelSets = 1ULL << 24U;
inline constexpr uint64_t kLabelsPerSet = 4096;
inline constexpr uint64_t kProfiles = 1ULL << 22U;
inline constexpr uint64_t kSeries = 1ULL << 20U;
inline constexpr uint64_t kBlockRowsRead = 1ULL << 20U;
inline constexpr uint64_t kSideEntries = 1ULL << 20U;  ///< Of a block, hence of a profile.
inline constexpr uint64_t kSampleTypes = ProfileBatch::kTypesMax;
}  // namespace limit

/// `data_loss` for a section whose bytes cannot be true: "decode STR: …".
[[nodiscard]] tl::unexpected<Error> section_damaged(SectionKind kind, std::string_view what);
/// `too_large` for a dataset that the format cannot hold: "write STR: …".
[[nodiscard]] tl::unexpected<Error> section_too_large(SectionKind kind, std::string_view what);

}  // namespace hearth::storage
