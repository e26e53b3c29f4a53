#pragma once

#include <string_view>

#include "base/result.h"
#include "formats/decode_limits.h"
#include "hearth/profile.h"

namespace hearth::formats {

/// Decodes one uncompressed pprof (profile.proto) into `out`, whose old content is replaced and
/// whose capacity is reused: a worker that keeps one batch decodes without allocating. Do not
/// clear() the batch in between, that only costs.
///
/// Input:  `raw` has kReadSlack (base/gzip_codec.h) readable bytes behind it, as gunzip() and the
/// HTTP server leave; their content
///         does not matter. Under 2 GiB. `out.strings` point into `raw`.
/// Checks: everything past this call may rely on: out.validate() holds; string_table is UTF-8 and
/// starts with ""; there is a sample
///         type and no name of one contains '-'; ids are not 0; every sample has one value per
///         type.
/// Repairs, counted in out.repairs: references to locations, functions and mappings that the
/// profile lacks cost the frame (and the
///         sample when no frame is left); deep stacks and long strings are cut as `limits` says; of
///         equal ids the last counts. String indices out of range that only units, period type,
///         comments and the like use read as "".
/// Errors: invalid_argument with field, byte offset and cause; reason malformed_profile,
/// samples_limit or sample_labels_limit.
///         `out` is empty then.
/// Memory: the batch takes 1–3 times the size of real profiles, 12 times that of the worst input.
/// Source: pprof's profile.proto; what is refused is what Pyroscope refuses.
[[nodiscard]] Status decode_pprof(std::string_view raw, const DecodeLimits& limits,
                                  ProfileBatch& out);

/// The same for bytes without slack behind them: copies them into out.owned, so `raw` may go away.
[[nodiscard]] Status decode_pprof_copy(std::string_view raw, const DecodeLimits& limits,
                                       ProfileBatch& out);

}  // namespace hearth::formats
