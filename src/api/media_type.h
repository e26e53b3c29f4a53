#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace hearth::api {

/// A media type such as `application/json; charset=utf-8`: type in lower case, parameters in order,
/// names in lower case.
struct MediaType {
  std::string type;
  std::vector<std::pair<std::string, std::string>> params;
  [[nodiscard]] std::string_view param(std::string_view name) const;
};

/// Refuses exactly what Go's media type parser refuses, since every Pyroscope request passes
/// through it: a bare word passes, a parameter without value does not.
[[nodiscard]] Result<MediaType> parse_media_type(std::string_view text);

/// What the values of all Accept headers of a request ask for. `invalid_argument` when an entry is
/// malformed; an empty header is fine.
struct Accept {
  bool utf8_label_names = false;  ///< Some entry carries allow-utf8-labelnames=true.
};
[[nodiscard]] Result<Accept> parse_accept(std::span<const std::string_view> values);

}  // namespace hearth::api
