#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/dataset.h"

namespace hearth::storage {

/// The columns of PROF, owned; profiles sorted by (series, start, id).
/// Shape:  ids is empty or as long as the others; totals[t][p].
struct ProfileTable {
  std::vector<uint32_t> series, rows;
  std::vector<int64_t> start_ns, duration_ns, period;
  std::vector<Id128> ids;
  std::vector<std::vector<int64_t>> totals;
  [[nodiscard]] size_t size() const { return series.size(); }
  [[nodiscard]] size_t memory_bytes() const;
};

/// PROF: u8 flags (1: ids, 2: attributes, one `str` that this version passes over), vcol profiles
/// per series, zigzag vcol start (per series: the time, then the delta, then deltas of deltas),
/// zigzag vcol duration and period (delta to the profile before), vcol rows, per sample type zigzag
/// vcol total, [16 bytes per id].
[[nodiscard]] Status encode_profiles(const ProfileTable& profiles, size_t series, std::string& out);
[[nodiscard]] Status decode_profiles(std::string_view raw, size_t profiles, size_t series,
                                     size_t types, ProfileTable& out);

/// The columns as queries see them.
std::shared_ptr<const ProfileColumns> share_profiles(
    std::shared_ptr<const ProfileTable> profiles, std::span<const uint32_t> row_blocks = {});

}  // namespace hearth::storage
