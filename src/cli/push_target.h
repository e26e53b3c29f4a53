#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "hearth/labels.h"

namespace hearth::cli {

/// "key=value". The characters that end a label in the name of /ingest (`,` and `}`) are refused.
[[nodiscard]] Result<Label> parse_label(const std::string& text);

/// `name` if given, else the label service_name, else the file's name without folders and endings,
/// else "stdin".
std::string service_of(const std::string& name, const std::vector<Label>& labels,
                       const std::string& file);

/// "/ingest?name=SERVICE{key=value,…}", escaped (docs/http_api.md 2).
[[nodiscard]] Result<std::string> ingest_target(const std::string& service,
                                                const std::vector<Label>& labels);

}  // namespace hearth::cli
