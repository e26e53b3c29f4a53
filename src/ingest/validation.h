#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "hearth/labels.h"
#include "hearth/profile.h"
#include "ingest/limits.h"

namespace hearth::ingest {

/// Frames of all stacks of one request. Each may become a node of the dictionary, and a dataset
/// holds 2^24.
inline constexpr size_t kFramesMax = 8'000'000;

/// Labels for a message: Prometheus text form of valid UTF-8, cut when it is long.
[[nodiscard]] std::string label_text(std::span<const Label> labels);

/// Pyroscope's checks of a profile that are left after decoding: sample types present, time
/// range, size and count limits. `raw_bytes` = size of the profile, inflated. Errors are
/// invalid_argument with Pyroscope's discard reason.
[[nodiscard]] Status check_profile(const ProfileBatch& batch, size_t raw_bytes,
                                   std::span<const Label> labels, const Limits& limits,
                                   int64_t now_ns);

/// Pyroscope's checks on final series labels, sorted by name; duplicate names stand
/// side by side, empty values are gone. Errors as above.
[[nodiscard]] Status check_labels(std::span<const Label> labels, const Limits& limits);

}  // namespace hearth::ingest
