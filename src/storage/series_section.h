#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"

namespace hearth::storage {

/// LBL: u8 flags (1: postings end the section, as one `str` that this version passes over), own
/// string table (as STR), then vec of series {vec of (varint name, varint value)}; labels sorted by
/// name, series sorted, unique. Precondition: `series` ascending.
[[nodiscard]] Status encode_series(std::span<const LabelSet> series, std::string& out);

/// `data_loss` for anything else than sorted label sets, `want` of them when that is known.
[[nodiscard]] Status decode_series(std::string_view raw, std::optional<size_t> want,
                                   std::vector<LabelSet>& out);

/// Of series as they are decoded.
[[nodiscard]] size_t series_memory_bytes(const std::vector<LabelSet>& series);

}  // namespace hearth::storage
