#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "formats/decode_limits.h"
#include "hearth/profile.h"

namespace hearth::formats {

enum class TextLayout : unsigned char {
  groups,  ///< `frame;frame;frame VALUE`, split at the last space. Lines without a space are
           ///< skipped.
  lines,   ///< One stack a line; its value is how often it occurs.
};

/// What folded text does not say about itself; the dialect knows it from the application's name and
/// the sample rate.
struct TextProfile {
  std::string_view sample_type = "samples";
  std::string_view sample_unit = "count";
  std::string_view period_type = {};
  std::string_view period_unit = {};
  int64_t period = 0;
  int64_t multiplier = 1;  ///< Every value times this. What overflows becomes negative, so that the
                           ///< write pipeline drops and counts it.
  int64_t time_ns = 0;
  int64_t duration_ns = 0;
};

/// Longest line of folded text, in bytes.
constexpr size_t kTextLineMax = 64 * 1024;

/// Decodes folded text (`main;work 3`, docs/http_api.md 2) into `out`, whose old content is
/// replaced. Frames stand root first in the text, leaf first in the batch; each distinct one is a
/// function with a location of its own, all in one mapping without a name. Lines of one stack are
/// one sample with their sum. `out.strings` point into `text`. Errors: invalid_argument, naming the
/// line: a value that is no 64-bit integer, a line over kTextLineMax, invalid UTF-8, too many
/// distinct stacks (samples_limit). `out` is empty then.
[[nodiscard]] Status decode_text(std::string_view text, TextLayout layout,
                                 const TextProfile& profile, const DecodeLimits& limits,
                                 ProfileBatch& out);

}  // namespace hearth::formats
