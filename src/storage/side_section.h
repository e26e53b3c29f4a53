#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/profile_section.h"
#include "storage/side_block.h"

namespace hearth::storage {

/// SIDE: vec{varint profiles, entries, stored, raw} blocks, then one zstd frame per block
/// (side_block.h). A block ends before the profile that would bring it over 65,536 entries.
[[nodiscard]] Status encode_side(const SideTable& side, const ProfileTable& profiles, size_t types,
                                 int zstd_level, std::string& out);

/// One block of SIDE. What is not stored follows from the blocks before.
struct SideBlockInfo {
  uint32_t profiles = 0, entries = 0, stored = 0, raw = 0;
  uint32_t first_profile = 0;
  uint64_t offset = 0;  ///< Of the frame in the section.
};

/// SIDE, checked but for its frames.
class SideSection {
 public:
  /// The section's bytes, whose checksum was right. `data_loss` unless the blocks cover `profiles`
  /// profiles and the frames fill the section.
  [[nodiscard]] static Result<SideSection> open(std::string bytes, size_t profiles);

  [[nodiscard]] const std::vector<SideBlockInfo>& blocks() const { return blocks_; }
  [[nodiscard]] uint64_t entries() const;
  /// True when a writer of these entries per profile makes the same blocks.
  [[nodiscard]] bool is_cut_as_written(std::span<const uint32_t> count) const;
  /// Decompressed bytes of a block.
  [[nodiscard]] Result<std::string> raw_block(const SideBlockInfo& block) const;
  /// A block's entries; `keys` and `types` are the dataset's.
  [[nodiscard]] Status decode(const SideBlockInfo& block, const ProfileTable& profiles, size_t keys,
                              size_t types, SideTable& out) const;

 private:
  std::string bytes_;
  std::vector<SideBlockInfo> blocks_;
};

}  // namespace hearth::storage
