#pragma once

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

/// `data_loss` for anything else than `series` sorted label sets.
[[nodiscard]] Status decode_series(std::string_view raw, size_t series, std::vector<LabelSet>& out);

}  // namespace hearth::storage
