#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"

namespace hearth::api {

/// The `name` parameter of /ingest: `app{key=value,…}` (docs/http_api.md 2).
struct AppName {
  std::string app;  ///< Never empty.
  std::vector<Label>
      labels;  ///< In order of first appearance; a repeated key keeps its last value.
  [[nodiscard]] std::string_view get(std::string_view key) const;
};

/// Values are raw text up to `,` or `}`, trimmed. Without a closing brace the unfinished last label
/// is lost; text after the brace is ignored. `invalid_argument`, message prefixed `name: `, for an
/// empty app or a character that the grammar lacks.
[[nodiscard]] Result<AppName> parse_app_name(std::string_view text);

/// What the suffix after the last `.` of an app name says about a text profile
/// (docs/http_api.md 2 lists them).
struct TextMetric {
  std::string_view name;         ///< `__name__`.
  std::string_view sample_type;  ///< Before the rate step.
  std::string_view sample_unit;
};
struct TextApp {
  TextMetric metric;
  std::string service;  ///< The app name without its suffix.
};
/// `invalid_argument` for a suffix that names no profile type.
[[nodiscard]] Result<TextApp> split_text_app(std::string_view app);

}  // namespace hearth::api
