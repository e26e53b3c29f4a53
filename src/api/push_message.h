#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"

namespace hearth::api {

/// A PushRequest read in place: profiles are large, so they stay where they arrived.
struct PushProfile {
  std::string_view bytes;  ///< gzip or plain pprof.
  std::string_view id;     ///< The client's own id; used in messages only.
};
struct PushSeries {
  std::vector<Label> labels;
  std::vector<PushProfile> profiles;
};

/// Views point into `message`. Unknown fields are skipped; `invalid_argument` for malformed
/// protobuf or text that is not UTF-8.
[[nodiscard]] Result<std::vector<PushSeries>> parse_push_message(std::string_view message);

}  // namespace hearth::api
